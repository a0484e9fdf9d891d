import type { CallOff } from '../../../lib/timers.js';
import type { EtcdClient } from '../client/client.js';
import { EtcdError, type EtcdStream } from '../client/endpoint.js';
import { METHODS, type WatchAnswer } from '../client/messages.js';

export type WatchEvent = WatchAnswer['events'][number];

export interface WatchTarget {
  key: Buffer;
  rangeEnd: Buffer;
}

/** Receives what a watch reports. */
export interface Follower {
  /**
   * Asked before the watch begins, and again before it goes on anew: whether it may. After a no, it is over.
   * @throws EtcdError (as a rejection) when nobody can tell now.
   */
  mayBegin(): Promise<boolean>;
  /** All changes at one revision. Revisions come in order, each once. */
  revision(revision: number, events: readonly WatchEvent[]): void;
  /** Nothing else happened up to this revision. */
  reached(revision: number): void;
  /** etcd has compacted the revisions needed: the watch is over. */
  compacted(): void;
}

/** Why a watch had to restart. */
export type RestartReason = 'silent' | 'ended' | 'refused';

/** How often to request progress, in milliseconds. */
const ASK_MS = 500;
/** After this much silence, a watch continues at the next node, in milliseconds. */
const SILENCE_MS = 3000;
/** How long to wait before restarting a failed watch, in milliseconds. */
const PAUSE_MS = 200;

/**
 * Follows keys from a revision on, whatever happens to individual nodes: no revision is missed, delivered twice, or delivered in
 * part.
 */
export class Watch {
  readonly #client: EtcdClient;
  readonly #target: WatchTarget;
  readonly #follower: Follower;
  /** The last revision that was delivered in full. */
  #applied: number;
  /** The fragments of an incomplete response. */
  #parts: WatchEvent[] = [];
  #turn = 0;
  #stream: EtcdStream<object> | null = null;
  #heardAt: number;
  #pause: CallOff | null = null;
  readonly #endPulse: CallOff;
  #isOver = false;
  /** How often it had to restart, by reason. */
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

  /** The length of the present silence, in milliseconds. */
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
      // A watch from a revision that the store has yet to come to would say nothing, for ever.
      if (!(await this.#follower.mayBegin())) {
        this.close();
        return;
      }
      const { endpoint, token } = await this.#client.node(this.#turn);
      if (this.#isOver) return;
      // The previous stream's silence does not count against this one.
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
    // The confirmation that a watch was created comes before its events.
    const revision = header?.revision ?? 0;
    if (events.length > 0 || created || revision <= this.#applied) return;
    this.#applied = revision;
    this.#follower.reached(revision);
  }
}

function revisionOf({ kv }: WatchEvent): number {
  return kv?.modRevision ?? 0;
}
