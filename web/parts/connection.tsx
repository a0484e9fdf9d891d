import type { JSX } from 'preact';
import type { ConnectionStatus } from '../model/connection-status.js';
import { formats } from '../model/formats.js';
import { connection } from '../state/hub.js';

const SIGNS: Readonly<Record<ConnectionStatus['kind'], string>> = {
  connecting: '◌',
  live: '●',
  resumed: '●',
  stale: '◑',
  over: '○',
};

/** The connection status, on every page. */
export function Connection(): JSX.Element {
  const status = connection.value;
  return (
    <p class={`connection connection-${status.kind}`} role="status" title={status.reason ?? undefined}>
      <span aria-hidden="true">{SIGNS[status.kind]}</span> <span>{wordsFor(status)}</span>
    </p>
  );
}

function wordsFor({ kind, since, reason }: ConnectionStatus): string {
  switch (kind) {
    case 'connecting':
      return reason === null ? 'Connecting …' : 'Hub unreachable; retrying';
    case 'live':
      return 'Live';
    case 'resumed':
      return 'Live again, nothing missed';
    case 'stale':
      return `Stale since ${formats.time(since)}; reconnecting`;
    case 'over':
      return `Not live: ${reason ?? 'the hub refused'}`;
  }
}
