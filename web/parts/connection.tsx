import type { JSX } from 'preact';
import type { ConnectionStatus } from '../model/connection-status.js';
import { formats } from '../model/formats.js';
import { connection, retryNow } from '../state/hub.js';

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
    <div class={`connection connection-${status.kind}`}>
      <p role="status" title={status.reason ?? undefined}>
        <span aria-hidden="true">{SIGNS[status.kind]}</span> <span>{wordsFor(status)}</span>
      </p>
      {isWaiting(status) && (
        <button type="button" onClick={retryNow}>
          Retry now
        </button>
      )}
    </div>
  );
}

/** Whether the hub could not be reached, and is tried again. */
function isWaiting({ kind, reason }: ConnectionStatus): boolean {
  return kind === 'stale' || (kind === 'connecting' && reason !== null);
}

function wordsFor(status: ConnectionStatus): string {
  const { kind, since, reason } = status;
  switch (kind) {
    case 'connecting':
      return isWaiting(status) ? 'Hub unreachable; retrying' : 'Connecting …';
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
