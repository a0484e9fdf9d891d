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

/** Base URL of the hub that served this page, including any path prefix of a proxy. */
export const hubUrl = new URL('.', location.href.replace(/#.*/, '')).href.replace(/\/$/, '');

/** Requests that were sent before this script was loaded, by URL. */
const sent = new Map<string, Promise<Response>>();

/** The client of the hub's HTTP API. */
export const hub = new DiscoveryClient(hubUrl, {
  fetch: (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const early = sent.get(url);
    sent.delete(url);
    return early ?? fetch(input, init);
  },
});

/** Makes the client use responses to requests that were sent already, each once. */
export function takeOver(requests: ReadonlyMap<string, Promise<Response>>): void {
  for (const [url, response] of requests) sent.set(url, response);
}

const statuses = signal<ReadonlyMap<Watch | HubWatch, ConnectionStatus>>(new Map());

/** The connection status over all watches. */
export const connection = computed(() => worstOf(statuses.value.values(), localNow.value));

/** How far the hub's clock is ahead of the browser's, in milliseconds. */
const clockOffsetMs = signal(0);

/** The hub's time, updated every second. */
export const hubNow = computed(() => localNow.value + clockOffsetMs.value);

/** Watches a filter, or its first matches, and reports the state to `connection`. */
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

/** Watches the hub's vitals and reports the state to `connection`. A hub that does not publish them still counts as live. */
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

/** Stops a watch that `follow` started. */
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

/** Matches no provider. Watching it gives every page the connection status and the hub's clock. */
const NOBODY = { cpu: 4096, memory: 65_536, storage: 10_000_000, max_usd_per_month: 0 } as const;

/** Makes every watch that waits for its next attempt try now. */
export function retryNow(): void {
  for (const followed of statuses.value.keys()) followed.retry();
}

/** Keeps one connection open while the page is open, and makes lost ones try at once when the network, or the person, is back. */
export function keepPulse(): void {
  follow(NOBODY);
  addEventListener('online', retryNow);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) retryNow();
  });
}
