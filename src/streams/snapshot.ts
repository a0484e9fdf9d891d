import type { WireName } from '../protocol/frames/codec.js';
import { WIRES } from '../protocol/frames/event-stream.js';
import { formatCursor } from '../protocol/cursor.js';
import type { Moment, Part } from '../registry/moments.js';
import type { Predicate } from '../registry/store/predicate.js';
import { transcodeCopy } from './event-encoder.js';
import { LOOKS_PER_STEP, ROWS_PER_STEP, type StreamLimits, WORK } from './limits.js';

/** A `snapshot` frame, and where the next one starts. */
export interface SnapshotFrame {
  /** Null if nothing matched so far, and there are more slots to visit. */
  bytes: Uint8Array | null;
  readonly advertisements: number;
  /** The slot where the next one starts; null after the last. */
  readonly next: number | null;
}

const MAX_RECENT_FRAMES = 16;

/** Caches the latest frames of all snapshots together, so that memory does not grow with their number. */
export class RecentFrames {
  readonly #frames = new Map<string, SnapshotFrame>();

  find(name: string): SnapshotFrame | undefined {
    return this.#frames.get(name);
  }

  keep(name: string, frame: SnapshotFrame): void {
    this.#frames.set(name, frame);
    if (this.#frames.size <= MAX_RECENT_FRAMES) return;
    const [oldest] = this.#frames.keys();
    this.#frames.delete(oldest!);
  }
}

/** The stream of a snapshot, which refers to the snapshot in turn. */
interface Matches {
  readonly name: string;
  readonly predicate: Predicate;
  snapshot: Snapshot | null;
}

/**
 * All matches of a stream at one moment. Subscribers that read them at the same time share its frames.
 */
export class Snapshot {
  readonly moment: Moment;
  /** The subscriptions reading it. */
  readonly readers = new Set<object>();
  readonly #stream: Matches;
  readonly #epoch: string;
  readonly #limits: StreamLimits;
  readonly #frames: RecentFrames;

  /** @param frames Shared by all snapshots. */
  constructor(stream: Matches, moment: Moment, epoch: string, limits: StreamLimits, frames: RecentFrames) {
    this.#stream = stream;
    this.moment = moment;
    this.#epoch = epoch;
    this.#limits = limits;
    this.#frames = frames;
  }

  /**
   * Builds the frame that starts at a slot, in steps.
   * @returns Null if the moment is no longer kept.
   */
  *frame(wire: WireName, from: number): Generator<number, SnapshotFrame | null, undefined> {
    const name = `${this.#stream.name} ${String(this.moment.seq)} ${wire} ${String(from)}`;
    const known = this.#frames.find(name);
    if (known !== undefined) return known;
    const { snapshotBatch, snapshotBytes, snapshotLooks } = this.#limits;
    const codec = WIRES[wire];
    const rows: Uint8Array[] = [];
    let bytes = 0;
    let looks = 0;
    let next: number | null = from;
    while (next !== null && rows.length < snapshotBatch && bytes < snapshotBytes && looks < snapshotLooks) {
      if (!this.moment.isKept) return null;
      const part: Part = this.moment.read(this.#stream.predicate, next, {
        rows: Math.min(ROWS_PER_STEP, snapshotBatch - rows.length),
        bytes: snapshotBytes - bytes,
        looks: Math.min(LOOKS_PER_STEP, snapshotLooks - looks),
      });
      for (const row of part.rows) {
        bytes += row.length;
        rows.push(transcodeCopy(codec, row));
      }
      looks += part.looks;
      next = part.next;
      yield part.looks * WORK.look + part.rows.length * WORK.encode[wire];
    }
    const last = next === null;
    const frame: SnapshotFrame = { bytes: null, advertisements: rows.length, next };
    if (rows.length > 0 || last) {
      const head = {
        type: 'snapshot',
        stream: this.#stream.name,
        // Until the last frame, what a client holds is true at no cursor.
        cursor: last ? formatCursor(this.#epoch, this.moment.seq) : null,
        last,
      };
      frame.bytes = codec.wrap(head, codec.extendList(head, 'advertisements', rows));
    }
    if (this.readers.size > 1) this.#frames.keep(name, frame);
    return frame;
  }

  /** A reader is done with it. */
  leave(reader: object): void {
    this.readers.delete(reader);
    if (this.readers.size > 0) return;
    this.moment.close();
    if (this.#stream.snapshot === this) this.#stream.snapshot = null;
  }
}
