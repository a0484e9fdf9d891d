/** `example.org:80` is `example.org` to whoever dials it: the port is left out where it is the scheme's default. */
function withoutDefaultPort(host: string, tls: boolean): string {
  // A plain hub may be behind a proxy that ends TLS, and so cannot know which scheme was dialled.
  return host.replace(tls ? /:443$/ : /:(80|443)$/, '');
}

/**
 * Which hosts a session may be signed for.
 * @param host The handshake's `Host`, lower case.
 * @param publicHosts What the operator says the hub is reached as; empty when not said.
 * @param tls Whether the hub itself speaks TLS.
 * @returns `hosts` are acceptable; `others` are not, but explain what went wrong when one of them was signed.
 */
export function plausibleHosts(
  host: string,
  publicHosts: readonly string[],
  tls: boolean,
): { hosts: string[]; others: string[] } {
  const named = withoutDefaultPort(host, tls);
  // Some clients sign the port although it is the default.
  const hosts = publicHosts.length > 0 ? [...publicHosts] : [...new Set([named, host])];
  const port = /:\d+$/.exec(host)?.[0] ?? '';
  const bare = host.slice(0, host.length - port.length);
  const others = [named, host, bare, `localhost${port}`, `127.0.0.1${port}`].filter(
    (other) => other !== '' && !hosts.includes(other),
  );
  return { hosts, others: [...new Set(others)] };
}
