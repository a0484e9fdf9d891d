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
   * Asked whenever a node has opened the watch, before anything that it reports is passed on: whether the store is the one that was followed.
   * After a no, the watch is over.
   * @param clusterId The id of the node's cluster.
   * @throws EtcdError (as a rejection) when nobody can tell now.
   */
  isSame(clusterId: bigint): Promise<boolean>;
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
  /** How far the stream has come: it is used once its store is known to be the right one. */
  #phase: 'opening' | 'asking' | 'following' = 'opening';
  /** What the stream has reported before that. */
  #held: WatchAnswer[] = [];
  /** The fragments of an incomplete response. */
  #parts: WatchEvent[] = [];
  #turn = 0;
  #stream: EtcdStream<object> | null = null;
  #openedAt: number;
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
    this.#openedAt = client.timers.now();
    this.#heardAt = this.#openedAt;
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
    // Whether the store is the same is asked with a deadline of its own.
    if (this.#stream === null || this.#phase === 'asking') return;
    // The previous stream's silence does not count against this one.
    const silentMs = Math.min(this.silentMs, this.#client.timers.now() - this.#openedAt);
    if (silentMs > SILENCE_MS) this.#restart('silent');
    else this.#stream.send({ progress: {} });
  }

  async #open(): Promise<void> {
    this.#parts = [];
    this.#held = [];
    this.#phase = 'opening';
    try {
      const { endpoint, token } = await this.#client.node(this.#turn);
      if (this.#isOver) return;
      this.#openedAt = this.#client.timers.now();
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
    if (answer.compactRevision > 0) {
      this.close();
      this.#follower.compacted();
    } else if (answer.canceled) {
      this.#restart('refused');
    } else if (answer.created) {
      void this.#confirm(answer.header?.clusterId ?? 0n);
    } else if (this.#phase === 'following') {
      this.#take(answer);
    } else {
      this.#held.push(answer);
    }
  }

  /**
   * Asks whether the store behind the stream is the one that was followed. Not before the stream is open: from then on it ends if the store is
   * replaced. A new store would say nothing, for ever, about revisions that it has yet to come to.
   */
  async #confirm(clusterId: bigint): Promise<void> {
    const stream = this.#stream;
    this.#phase = 'asking';
    try {
      const isSame = await this.#follower.isSame(clusterId);
      if (this.#isOver || this.#stream !== stream) return;
      if (!isSame) {
        this.close();
        return;
      }
      this.#phase = 'following';
      this.#heardAt = this.#client.timers.now();
      for (const answer of this.#held.splice(0)) this.#take(answer);
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      if (this.#stream === stream) this.#restart('refused');
    }
  }

  #take(answer: WatchAnswer): void {
    this.#heardAt = this.#client.timers.now();
    this.#parts.push(...answer.events);
    if (!answer.fragment) this.#deliver(answer);
  }

  #deliver({ header }: WatchAnswer): void {
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
    const revision = header?.revision ?? 0;
    if (events.length > 0 || revision <= this.#applied) return;
    this.#applied = revision;
    this.#follower.reached(revision);
  }
}

function revisionOf({ kv }: WatchEvent): number {
  return kv?.modRevision ?? 0;
}
