import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { EVENT_STREAM } from '../protocol/frames/event-stream.js';
import {
  type HubHistory,
  type HubPoint,
  type HubPointFrame,
  POINT_SECONDS,
  POINTS_KEPT,
} from '../protocol/vitals.js';
import type { Lag } from './loop-lag.js';
import { spreadOf } from './spread.js';

const POINT_MS = POINT_SECONDS * 1000;
/** How many readers are sent a point per event-loop iteration. */
const TOLD_A_TURN = 500;

/** The sources of counts. */
export interface CountSources {
  live: () => number;
  suspect: () => number;
  sessions: () => number;
  /** WebSockets. */
  connections: () => number;
  /** Readers of streamed bodies. */
  readers: () => number;
  subscriptions: () => number;
  streams: () => number;
}

/** The sources of performance figures. */
export interface ConditionSources {
  queuedBytes: () => number;
  loopLag: Lag;
  mirror: {
    /** Null while writes work, otherwise why they do not. */
    readonly problem: string | null;
    readonly lagMs: number;
    /** How many writes are not durable yet. */
    readonly pending: number;
  };
}

/** The hub's own state as a time series: a point every few seconds, kept for 15 minutes and sent to readers. */
export class Vitals {
  readonly #counts: CountSources;
  readonly #condition: ConditionSources | null;
  readonly #points: HubPoint[] = [];
  /** The same points as they are sent, each encoded once for all readers. */
  readonly #frames: Uint8Array[] = [];
  /** The encoded history, until the next point. */
  #history: Uint8Array | null = null;
  #count = 0;
  #changes = 0;
  /** In microseconds. */
  readonly #matchToSend: RecordableHistogram = createHistogram();
  readonly #readers = new Set<() => void>();
  #lastAt: number | null = null;

  /** @param condition Null to show counts only. */
  constructor(counts: CountSources, condition: ConditionSources | null) {
    this.#counts = counts;
    this.#condition = condition;
  }

  /** How many points there have been, including those no longer kept. */
  get count(): number {
    return this.#count;
  }

  /** An advertisement changed. */
  noteChange(): void {
    this.#changes += 1;
  }

  /** The events of some changes were handed to all sockets, this many seconds after the first of these changes. */
  noteMatchToSend(seconds: number): void {
    if (this.#condition !== null) this.#matchToSend.record(Math.max(1, Math.round(seconds * 1e6)));
  }

  /**
   * Calls `told` with each new point.
   * @returns Unregisters it.
   */
  read(told: () => void): () => void {
    this.#readers.add(told);
    return () => {
      this.#readers.delete(told);
    };
  }

  /** What to send to a reader that has this many points; null for a new reader. */
  framesSince(known: number | null): readonly Uint8Array[] {
    const missing = known === null ? Number.POSITIVE_INFINITY : this.#count - known;
    if (missing <= this.#frames.length) return missing === 0 ? [] : this.#frames.slice(-missing);
    this.#history ??= encode({
      type: 'history',
      shows: this.#condition === null ? 'counts' : 'all',
      interval_seconds: POINT_SECONDS,
      points: this.#points,
    });
    return [this.#history];
  }

  /**
   * Records a point if one is due.
   * @param now Service milliseconds.
   * @param wall Unix milliseconds.
   */
  tick(now: number, wall: number): void {
    if (this.#lastAt !== null && now - this.#lastAt < POINT_MS) return;
    const seconds = this.#lastAt === null ? POINT_SECONDS : (now - this.#lastAt) / 1000;
    this.#lastAt = now;
    const point = this.#measure(seconds, wall);
    this.#points.push(point);
    this.#frames.push(encode({ type: 'point', point }));
    this.#count += 1;
    this.#history = null;
    if (this.#points.length > POINTS_KEPT) {
      this.#points.shift();
      this.#frames.shift();
    }
    this.#tell([...this.#readers]);
  }

  #measure(seconds: number, wall: number): HubPoint {
    const counts = this.#counts;
    const point: HubPoint = {
      time: new Date(wall).toISOString(),
      live: counts.live(),
      suspect: counts.suspect(),
      sessions: counts.sessions(),
      connections: counts.connections(),
      readers: counts.readers(),
      subscribers: counts.subscriptions(),
      streams: counts.streams(),
      updates_per_second: Math.round((this.#changes / seconds) * 100) / 100,
    };
    this.#changes = 0;
    return this.#condition === null ? point : { ...point, ...this.#measureCondition(this.#condition) };
  }

  #measureCondition({ queuedBytes, loopLag, mirror }: ConditionSources): Partial<HubPoint> {
    const matchToSend = this.#matchToSend.count === 0 ? null : spreadOf(this.#matchToSend, 1000);
    this.#matchToSend.reset();
    return {
      match_to_send_ms: matchToSend,
      loop_lag_ms: loopLag.take(),
      queued_bytes: queuedBytes(),
      mirror: {
        state: mirror.problem === null ? 'writing' : 'failing',
        lag_ms: Math.round(mirror.lagMs),
        pending: mirror.pending,
      },
    };
  }

  #tell(readers: readonly (() => void)[]): void {
    for (const told of readers.slice(0, TOLD_A_TURN)) if (this.#readers.has(told)) told();
    if (readers.length <= TOLD_A_TURN) return;
    setImmediate(() => {
      this.#tell(readers.slice(TOLD_A_TURN));
    });
  }
}

function encode(frame: HubHistory | HubPointFrame): Uint8Array {
  return EVENT_STREAM.wrap({ type: frame.type, cursor: null }, EVENT_STREAM.encode(frame));
}
