import type { WatchState } from '../../src/client/index.js';

/**
 * How what is shown stands to the hub:
 * - `connecting`: nothing has come yet;
 * - `live`: it changes as the hub changes;
 * - `stale`: the connection is lost, what is shown is as of `since`;
 * - `resumed`: it was lost and is live again, complete;
 * - `over`: the hub refused, for the reason given.
 */
export interface ConnectionStatus {
  readonly kind: 'connecting' | 'live' | 'stale' | 'resumed' | 'over';
  /** Unix milliseconds: since when. */
  readonly since: number;
  readonly reason: string | null;
}

/** Milliseconds for which it is said that the connection was lost and came back. */
export const RESUMED_MS = 10_000;

export const CONNECTING: ConnectionStatus = { kind: 'connecting', since: 0, reason: null };

/** The status after a watch has told of a new state. */
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

/** What to say of several connections together: the worst; connecting where there is none. */
export function worstOf(statuses: Iterable<ConnectionStatus>, now: number): ConnectionStatus {
  let worst: ConnectionStatus | null = null;
  for (const status of statuses) {
    const settled: ConnectionStatus =
      status.kind === 'resumed' && now - status.since >= RESUMED_MS ? { ...status, kind: 'live' } : status;
    if (worst === null || ORDER.indexOf(settled.kind) < ORDER.indexOf(worst.kind)) worst = settled;
  }
  return worst ?? CONNECTING;
}
