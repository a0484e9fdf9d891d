/** `example.org:80` is `example.org` to whoever dials it: the port is left out where it is the scheme's default. */
function withoutDefaultPort(host: string): string {
  return host.replace(/:(80|443)$/, '');
}

/**
 * Which hosts a session may be signed for.
 * @param host The handshake's `Host`, lower case.
 * @param publicHosts What the operator says the hub is reached as; empty when not said.
 * @returns `hosts` are acceptable; `others` are not, but explain what went wrong when one of them was signed.
 */
export function plausibleHosts(
  host: string,
  publicHosts: readonly string[],
): { hosts: string[]; others: string[] } {
  const named = withoutDefaultPort(host);
  // Behind a proxy the hub cannot know which scheme was dialled, hence whether the port was left out as its default.
  const hosts = publicHosts.length > 0 ? [...publicHosts] : [...new Set([named, host])];
  const port = /:\d+$/.exec(host)?.[0] ?? '';
  const bare = host.slice(0, host.length - port.length);
  const others = [named, host, bare, `localhost${port}`, `127.0.0.1${port}`].filter(
    (other) => other !== '' && !hosts.includes(other),
  );
  return { hosts, others: [...new Set(others)] };
}
