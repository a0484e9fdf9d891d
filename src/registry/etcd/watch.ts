import type { CallOff } from '../../lib/timers.js';
import type { EtcdClient } from './client/client.js';
import { EtcdError, type EtcdStream } from './client/endpoint.js';
import { METHODS, type WatchAnswer } from './client/messages.js';

export type WatchEvent = WatchAnswer['events'][number];

export interface WatchTarget {
  key: Buffer;
  rangeEnd: Buffer;
}

/** Who follows a watch. */
export interface Follower {
  /** All that happened at one revision; revisions come in order, each once. */
  revision(revision: number, events: readonly WatchEvent[]): void;
  /** Nothing else has happened up to this revision. */
  reached(revision: number): void;
  /** etcd no longer knows what happened since: the watch is over. */
  compacted(): void;
}

/** Why a watch had to begin anew. */
export type RestartReason = 'silent' | 'ended' | 'refused';

/** How often progress is asked for, in milliseconds. */
const ASK_MS = 500;
/** A watch that has said nothing for so long goes on at the next node, in milliseconds. */
const SILENCE_MS = 3000;
/** What is waited before a watch that has failed begins anew, in milliseconds. */
const PAUSE_MS = 200;

/**
 * Follows keys from a revision on, whatever becomes of the node that is asked: nothing is missed, nothing comes twice, and of no
 * revision only a part.
 */
export class Watch {
  readonly #client: EtcdClient;
  readonly #target: WatchTarget;
  readonly #follower: Follower;
  /** The last revision that the follower knows all of. */
  #applied: number;
  /** Parts of an answer that is not complete. */
  #parts: WatchEvent[] = [];
  #turn = 0;
  #stream: EtcdStream<object> | null = null;
  #heardAt: number;
  #pause: CallOff | null = null;
  readonly #endPulse: CallOff;
  #isOver = false;
  /** How often it had to begin anew, by reason. */
  readonly restarts: Record<RestartReason, number> = { silent: 0, ended: 0, refused: 0 };

  /** @param after The last revision that the follower knows. */
  constructor(client: EtcdClient, target: WatchTarget, after: number, follower: Follower) {
    this.#client = client;
    this.#target = target;
    this.#applied = after;
    this.#follower = follower;
    this.#heardAt = client.timers.now();
    this.#endPulse = client.timers.every(ASK_MS, () => {
      this.#beat();
    });
    void this.#open();
  }

  /** How long nothing was heard, in milliseconds. */
  get silentMs(): number {
    return this.#client.timers.now() - this.#heardAt;
  }

  close(): void {
    this.#isOver = true;
    this.#endPulse();
    this.#pause?.();
    this.#stream?.cancel();
  }

  #beat(): void {
    if (this.#stream === null) return;
    if (this.silentMs > SILENCE_MS) this.#restart('silent');
    else this.#stream.send({ progress: {} });
  }

  async #open(): Promise<void> {
    this.#parts = [];
    try {
      const { endpoint, token } = await this.#client.node(this.#turn);
      if (this.#isOver) return;
      // The silence of the stream before does not count against this one.
      this.#heardAt = this.#client.timers.now();
      this.#stream = endpoint.open(
        METHODS.watch,
        token,
        (answer) => {
          this.#receive(answer);
        },
        (error) => {
          if (error.needsToken) this.#client.forgetToken();
          this.#restart('ended');
        },
      );
      this.#stream.send({
        create: { ...this.#target, startRevision: this.#applied + 1, progressNotify: true, fragment: true },
      });
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      this.#restart('refused');
    }
  }

  #restart(reason: RestartReason): void {
    if (this.#isOver || this.#pause !== null) return;
    this.restarts[reason] += 1;
    this.#stream?.cancel();
    this.#stream = null;
    this.#turn += 1;
    this.#pause = this.#client.timers.after(PAUSE_MS, () => {
      this.#pause = null;
      void this.#open();
    });
  }

  #receive(answer: WatchAnswer): void {
    this.#heardAt = this.#client.timers.now();
    if (answer.compactRevision > 0) {
      this.close();
      this.#follower.compacted();
    } else if (answer.canceled) {
      this.#restart('refused');
    } else {
      this.#parts.push(...answer.events);
      if (!answer.fragment) this.#deliver(answer);
    }
  }

  #deliver({ header, created }: WatchAnswer): void {
    const events = this.#parts;
    this.#parts = [];
    for (let from = 0; from < events.length;) {
      const revision = revisionOf(events[from]!);
      let end = from + 1;
      while (end < events.length && revisionOf(events[end]!) === revision) end += 1;
      if (revision > this.#applied) {
        this.#applied = revision;
        this.#follower.revision(revision, events.slice(from, end));
      }
      from = end;
    }
    // The answer that a watch was made comes before what it has to tell.
    const revision = header?.revision ?? 0;
    if (events.length > 0 || created || revision <= this.#applied) return;
    this.#applied = revision;
    this.#follower.reached(revision);
  }
}

function revisionOf({ kv }: WatchEvent): number {
  return kv?.modRevision ?? 0;
}
