import type { WatchState } from '../../src/client/index.js';

/**
 * Whether the displayed data is current:
 * - `connecting`: no data has arrived yet;
 * - `live`: data is current;
 * - `stale`: the connection is lost, data is as of `since`;
 * - `resumed`: the connection is back and nothing was missed;
 * - `over`: the hub refused, for the reason given.
 */
export interface ConnectionStatus {
  readonly kind: 'connecting' | 'live' | 'stale' | 'resumed' | 'over';
  /** Start of this status, in Unix milliseconds. */
  readonly since: number;
  readonly reason: string | null;
}

/** How long `resumed` is shown, in milliseconds. */
export const RESUMED_MS = 10_000;

export const CONNECTING: ConnectionStatus = { kind: 'connecting', since: 0, reason: null };

/** The status after a watch enters a new state. */
export function nextStatus(
  before: ConnectionStatus,
  state: WatchState,
  reason: string | null,
  now: number,
): ConnectionStatus {
  switch (state) {
    case 'live':
      if (before.kind === 'stale') return { kind: 'resumed', since: now, reason: null };
      return before.kind === 'live' || before.kind === 'resumed'
        ? before
        : { kind: 'live', since: now, reason: null };
    case 'refused':
      return { kind: 'over', since: now, reason };
    case 'waiting':
      if (before.kind === 'connecting') return { ...before, reason };
      return before.kind === 'stale' ? { ...before, reason } : { kind: 'stale', since: now, reason };
    default:
      return before;
  }
}

const ORDER: readonly ConnectionStatus['kind'][] = ['over', 'stale', 'connecting', 'resumed', 'live'];

/** The worst status of several connections; connecting if there are none. */
export function worstOf(statuses: Iterable<ConnectionStatus>, now: number): ConnectionStatus {
  let worst: ConnectionStatus | null = null;
  for (const status of statuses) {
    const settled: ConnectionStatus =
      status.kind === 'resumed' && now - status.since >= RESUMED_MS ? { ...status, kind: 'live' } : status;
    if (worst === null || ORDER.indexOf(settled.kind) < ORDER.indexOf(worst.kind)) worst = settled;
  }
  return worst ?? CONNECTING;
}
