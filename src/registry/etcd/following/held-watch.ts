import type { EtcdClient } from '../client/client.js';
import { type Follower, Watch, type WatchEvent, type WatchTarget } from './watch.js';

/** More changes than this are not held: reading the store is quicker. */
const MAX_HELD = 100_000;

/** A watch that keeps what it reports until somebody can take it. */
export class HeldWatch {
  readonly watch: Watch;
  readonly #client: EtcdClient;
  readonly #isSame: Follower['isSame'];
  /** Whole revisions in order. */
  #held: { revision: number; events: readonly WatchEvent[] }[] = [];
  #count = 0;
  #reached: number;
  /** Whether changes are missing after those that are held. */
  #isLost = false;
  #follower: Follower | null = null;

  /**
   * @param after The last revision that is known.
   * @param isSame See `Follower.isSame`.
   */
  constructor(client: EtcdClient, target: WatchTarget, after: number, isSame: Follower['isSame']) {
    this.#client = client;
    this.#isSame = isSame;
    this.#reached = after;
    this.watch = new Watch(client, target, after, {
      isSame: async (clusterId) => {
        if (this.#follower !== null) return this.#follower.isSame(clusterId);
        const isSame = await this.#isSame(clusterId);
        if (!isSame) this.#isLost = true;
        return isSame;
      },
      revision: (revision, events) => {
        if (this.#follower === null) this.#hold(revision, events);
        else this.#follower.revision(revision, events);
      },
      reached: (revision) => {
        if (this.#follower === null) this.#reached = revision;
        else this.#follower.reached(revision);
      },
      compacted: () => {
        if (this.#follower === null) this.#isLost = true;
        else this.#follower.compacted();
      },
    });
  }

  /** How many changes are held. */
  get count(): number {
    return this.#count;
  }

  /** Waits until it has come to a revision. @returns False if it cannot, or not within some milliseconds. */
  comesTo(revision: number, withinMs: number): Promise<boolean> {
    const { timers } = this.#client;
    const end = timers.now() + withinMs;
    return new Promise((resolve) => {
      const callOff = timers.every(LOOK_MS, () => {
        const isThere = this.#reached >= revision && !this.#isLost;
        if (!isThere && !this.#isLost && timers.now() < end) return;
        callOff();
        resolve(isThere);
      });
    });
  }

  /** Reports what was held, and from now on everything as it comes. */
  passTo(follower: Follower): void {
    this.#follower = follower;
    for (const { revision, events } of this.#held) follower.revision(revision, events);
    this.#held = [];
    if (this.#isLost) follower.compacted();
    else follower.reached(this.#reached);
  }

  #hold(revision: number, events: readonly WatchEvent[]): void {
    this.#count += events.length;
    this.#reached = revision;
    this.#held.push({ revision, events });
    if (this.#count <= MAX_HELD) return;
    this.#isLost = true;
    this.watch.close();
  }
}

/** How often to look how far it has come, in milliseconds. */
const LOOK_MS = 20;
