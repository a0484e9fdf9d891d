import {
  type HubHistory,
  hubHistorySchema,
  type HubPoint,
  type HubPointFrame,
  hubPointFrameSchema,
  type VitalsShown,
} from '../../protocol/vitals.js';
import { EventLink } from '../connection/event-link.js';
import { HubRotation } from '../connection/hub-rotation.js';
import type { StateChange } from '../connection/hub-connection.js';
import { Emitter } from '../emitter.js';
import { DiscoveryError } from '../errors.js';
import { parseHubUrl } from '../hub-url.js';
import { parse } from '../refusal.js';
import { type Scheduler, systemScheduler } from '../scheduler.js';

/** Options of `watchHub()`, all optional. */
export interface HubWatchOptions {
  /** Reads events; by default the platform's `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Clock and timers, for tests. */
  scheduler?: Scheduler | undefined;
  /** From 0 up to, not including, 1; for tests. */
  random?: (() => number) | undefined;
}

/** The states of a `HubWatch`: those of a watch, except those specific to WebSockets. */
export type HubWatchState = 'connecting' | 'live' | 'waiting' | 'refused' | 'stopped';

/** Events of a `HubWatch`. */
export interface HubWatchEvents {
  /** A new state. */
  state: StateChange<HubWatchState>;
  /** `points` changed. */
  change: readonly HubPoint[];
}

/** How much of the past is kept, in seconds. */
const KEPT_SECONDS = 15 * 60;

/** A hub's own state, now and over the last 15 minutes, kept up to date. Created by `watchHub()`. */
export class HubWatch {
  readonly #url: string;
  readonly #fetch: typeof globalThis.fetch;
  readonly #scheduler: Scheduler;
  readonly #hubs: HubRotation;
  readonly #events = new Emitter<HubWatchEvents>();
  #state: HubWatchState = 'connecting';
  #link: EventLink<HubHistory | HubPointFrame> | null = null;
  #cancelTimer: () => void;
  #history: Omit<HubHistory, 'type'> | null = null;

  /** @throws DiscoveryError `USAGE` for a malformed URL. */
  constructor(url: string | URL, options: HubWatchOptions) {
    const hub = parseHubUrl(url);
    this.#url = `${hub.http}/api/v1/hub/events`;
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#scheduler = options.scheduler ?? systemScheduler;
    this.#hubs = new HubRotation([hub], options.random ?? Math.random, () => this.#scheduler.now());
    // Asynchronous, so that listeners added right away miss nothing.
    this.#cancelTimer = this.#scheduler.after(0, () => {
      this.#connect();
    });
  }

  /** The current state. */
  get state(): HubWatchState {
    return this.#state;
  }

  /** The last 15 minutes, oldest first; while the connection is lost, as last known. */
  get points(): readonly HubPoint[] {
    return this.#history?.points ?? [];
  }

  /** How much the hub shows of itself; null before the first points. */
  get shows(): VitalsShown | null {
    return this.#history?.shows ?? null;
  }

  /** Seconds between two points; null before the first points. */
  get intervalSeconds(): number | null {
    return this.#history?.interval_seconds ?? null;
  }

  /** Adds a listener. @returns A function that removes it. */
  on<Name extends keyof HubWatchEvents>(
    name: Name,
    listener: (payload: HubWatchEvents[Name]) => void,
  ): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * Makes the next attempt now if it is waiting for it, unless the hub asked for the wait; in other states it has no effect. Call it when the
   * network is back, or when a person asks.
   */
  retry(): void {
    if (this.#state === 'waiting' && !this.#hubs.asksForPatience) this.#connectAfter(0);
  }

  /** Ends the watch; `points` keeps its content. Resolves once the connection is closed. */
  async stop(): Promise<void> {
    if (this.#isOver) return;
    this.#cancelTimer();
    const closing = this.#link?.close();
    this.#link = null;
    this.#become('stopped');
    await closing;
  }

  get #isOver(): boolean {
    return this.#state === 'stopped' || this.#state === 'refused';
  }

  #connect(): void {
    this.#become('connecting');
    if (this.#isOver) return;
    this.#link = new EventLink(
      { url: this.#url, fetch: this.#fetch, scheduler: this.#scheduler, read: readHubFrame },
      {
        opened: () => undefined,
        frame: (frame) => {
          this.#receive(frame);
        },
        lost: (error) => {
          this.#lost(error);
        },
      },
    );
  }

  #receive(frame: HubHistory | HubPointFrame): void {
    if (frame.type === 'history') {
      this.#history = frame;
      this.#hubs.stable();
      if (this.#state !== 'live') this.#become('live');
    } else if (this.#history !== null) {
      const { interval_seconds: seconds, points } = this.#history;
      const kept = Math.ceil(KEPT_SECONDS / Math.max(1, seconds));
      this.#history = { ...this.#history, points: [...points, frame.point].slice(-kept) };
    }
    if (!this.#isOver) this.#events.emit('change', this.points);
  }

  #lost(error: DiscoveryError): void {
    this.#link = null;
    // A hub that does not show its own state, or is too old to, will not change its mind.
    if (error.code === 'HTTP_404') {
      this.#become('refused', error);
      return;
    }
    const retryInMs = this.#hubs.lost(error);
    this.#connectAfter(retryInMs);
    this.#become('waiting', error, retryInMs);
  }

  #connectAfter(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#scheduler.after(ms, () => {
      this.#connect();
    });
  }

  #become(state: HubWatchState, error: DiscoveryError | null = null, retryInMs: number | null = null): void {
    this.#state = state;
    this.#events.emit('state', { state, error, retryInMs });
  }
}

const FRAMES = { history: hubHistorySchema, point: hubPointFrameSchema } as const;

/** Null for an unknown type, which a newer hub may send. */
function readHubFrame(text: string): HubHistory | HubPointFrame | null {
  const value = parse(text);
  const type = (value as { type?: unknown } | null | undefined)?.type;
  if (type !== 'history' && type !== 'point') return null;
  const result = FRAMES[type].safeParse(value);
  if (result.success) return result.data;
  throw new DiscoveryError('UNEXPECTED', `the hub sent a malformed ${type} frame`, { cause: result.error });
}

/**
 * Watches a hub's own state: how many providers, sessions and subscribers it has and, if its operator shows that, how well it performs. It
 * connects at once, and reconnects until it is stopped or the hub says that it shows nothing.
 *
 * ```ts
 * const hub = watchHub('https://hub.example');
 * hub.on('change', (points) => console.log(points.at(-1)?.sessions));
 * ```
 *
 * @param url `http(s)://host[:port]` of the hub.
 * @throws DiscoveryError `USAGE` for a malformed URL.
 */
export function watchHub(url: string | URL, options: HubWatchOptions = {}): HubWatch {
  return new HubWatch(url, options);
}
