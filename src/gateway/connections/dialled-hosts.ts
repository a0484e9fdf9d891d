/** Removes the port if it is the scheme's default: clients dial `example.org:80` as `example.org`. */
function withoutDefaultPort(host: string, tls: boolean): string {
  // A hub without TLS may be behind a proxy that terminates it, and so cannot know which scheme was dialled.
  return host.replace(tls ? /:443$/ : /:(80|443)$/, '');
}

/**
 * The hosts that a session may be signed for.
 * @param host The handshake's `Host`, lower case.
 * @param publicHosts The hub's public hosts; empty if not set.
 * @param tls Whether the hub itself terminates TLS.
 * @returns `hosts` are acceptable; `others` are not, but explain what went wrong if one of them was signed.
 */
export function plausibleHosts(
  host: string,
  publicHosts: readonly string[],
  tls: boolean,
): { hosts: string[]; others: string[] } {
  const named = withoutDefaultPort(host, tls);
  // Some clients include a default port in what they sign.
  const hosts = publicHosts.length > 0 ? [...publicHosts] : [...new Set([named, host])];
  const port = /:\d+$/.exec(host)?.[0] ?? '';
  const bare = host.slice(0, host.length - port.length);
  const others = [named, host, bare, `localhost${port}`, `127.0.0.1${port}`].filter(
    (other) => other !== '' && !hosts.includes(other),
  );
  return { hosts, others: [...new Set(others)] };
}
