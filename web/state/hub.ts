import { computed, signal } from '@preact/signals';
import {
  DiscoveryClient,
  type FilterInput,
  type HubWatch,
  type Watch,
  watch,
  watchHub,
  type WatchOptions,
} from '../../src/client/index.js';
import { CONNECTING, type ConnectionStatus, nextStatus, worstOf } from '../model/connection-status.js';
import { localNow } from './clock.js';

/** Where the hub is that served this page, also where a proxy has it below a path. */
export const hubUrl = new URL('.', location.href.replace(/#.*/, '')).href.replace(/\/$/, '');

/** The plain HTTP interface of the hub. */
export const hub = new DiscoveryClient(hubUrl);

const statuses = signal<ReadonlyMap<Watch | HubWatch, ConnectionStatus>>(new Map());

/** How what is shown stands to the hub. */
export const connection = computed(() => worstOf(statuses.value.values(), localNow.value));

/** Milliseconds that the hub's clock is ahead of the browser's. */
const clockOffsetMs = signal(0);

/** The hub's time, every second. */
export const hubNow = computed(() => localNow.value + clockOffsetMs.value);

/** Watches a filter, or the first of its matches, and lets `connection` know how that goes. */
export function follow(filter: FilterInput, first: Pick<WatchOptions, 'sort' | 'limit'> = {}): Watch {
  const followed = watch(hubUrl, filter, first);
  setStatus(followed, CONNECTING);
  followed.on('state', ({ state, error }) => {
    if (state === 'stopped') return;
    if (state === 'live') clockOffsetMs.value = followed.clockOffsetMs ?? 0;
    setStatus(followed, nextStatus(statusOf(followed), state, error?.message ?? null, Date.now()));
  });
  return followed;
}

/** Watches what the hub is like, and lets `connection` know how that goes. A hub that shows nothing of it is no less live. */
export function followHub(): { watch: HubWatch; end: () => void } {
  const followed = watchHub(hubUrl);
  const end = (): void => {
    void followed.stop();
    forget(followed);
  };
  setStatus(followed, CONNECTING);
  followed.on('state', ({ state, error }) => {
    if (state === 'refused') forget(followed);
    else if (state !== 'stopped')
      setStatus(followed, nextStatus(statusOf(followed), state, error?.message ?? null, Date.now()));
  });
  return { watch: followed, end };
}

/** Ends what `follow` began. */
export function unfollow(followed: Watch): void {
  void followed.stop();
  forget(followed);
}

const statusOf = (followed: Watch | HubWatch): ConnectionStatus => statuses.value.get(followed) ?? CONNECTING;

function setStatus(followed: Watch | HubWatch, status: ConnectionStatus): void {
  statuses.value = new Map(statuses.value).set(followed, status);
}

function forget(followed: Watch | HubWatch): void {
  const rest = new Map(statuses.value);
  rest.delete(followed);
  statuses.value = rest;
}

/** Matches nobody: tells on pages that watch nothing how the connection is, and what the hub's clock says. */
const NOBODY = { cpu: 4096, memory: 65_536, storage: 10_000_000, max_usd_per_month: 0 } as const;

/** Keeps a connection for as long as the page is open. */
export function keepPulse(): void {
  follow(NOBODY);
}
