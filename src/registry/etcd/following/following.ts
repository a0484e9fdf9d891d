import { passed } from '../../../lib/timers.js';
import type { Applied } from './applied.js';
import type { EtcdClient } from '../client/client.js';
import { EtcdError } from '../client/endpoint.js';
import type { Keys } from '../keys.js';
import type { SharedLogLogger } from '../settings.js';
import type { Mark } from '../store-mark.js';
import { ANOTHER_STORE, findChange, readState, UnreadableRecordError } from '../store-state.js';
import type { HeldWatch } from './held-watch.js';
import { type Follower, type RestartReason, Watch } from './watch.js';

const RETRY_MS = 500;

/**
 * Keeps what is applied in step with the store: through a watch, and by reading everything again where etcd has compacted what the watch
 * needs. Stops where the store turns out to be another than the one that was followed.
 */
export class Following {
  readonly #client: EtcdClient;
  readonly #keys: Keys;
  readonly #epoch: string;
  readonly #applied: Applied;
  readonly #log: SharedLogLogger;
  readonly #lost: () => void;
  readonly #follower: Follower;
  #loads: number;
  #change: string | null = null;
  #watch: Watch | null = null;
  #isClosing = false;

  /**
   * @param loads How often the whole store was read before.
   * @param lost Called once the store is another.
   */
  constructor(
    client: EtcdClient,
    keys: Keys,
    epoch: string,
    applied: Applied,
    loads: number,
    log: SharedLogLogger,
    lost: () => void,
  ) {
    this.#client = client;
    this.#keys = keys;
    this.#epoch = epoch;
    this.#applied = applied;
    this.#log = log;
    this.#lost = lost;
    this.#loads = loads;
    this.#follower = {
      isSame: (clusterId) => this.#isSame(clusterId),
      revision: (revision, events) => {
        if (this.#change !== null) return;
        // The key of the epoch was there before anybody followed: whoever deletes or writes it later makes another store of this one.
        if (events.some(({ kv }) => kv !== null && keys.identity.equals(kv.key))) this.#giveUp(ANOTHER_STORE);
        else this.#applied.revision(revision, events);
      },
      reached: (revision) => {
        this.#applied.reached(revision);
      },
      compacted: () => {
        void this.#beginAnew();
      },
    };
  }

  /** How far the store was followed. */
  get mark(): Mark {
    return { epoch: this.#epoch, revision: this.#applied.position };
  }

  /** Why the store can no longer be followed: it is not the one that was followed, or it cannot be read; null while it can. */
  get change(): string | null {
    return this.#change;
  }

  /** How often the whole store was read. */
  get loads(): number {
    return this.#loads;
  }

  /** The length of the watch's present silence, in milliseconds. */
  get silentMs(): number {
    return this.#watch?.silentMs ?? 0;
  }

  /** How often the watch had to restart, by reason. */
  get restarts(): Readonly<Partial<Record<RestartReason, number>>> {
    return this.#watch?.restarts ?? {};
  }

  /** Follows the store from the applied revision on. */
  begin(): void {
    this.#watch = new Watch(this.#client, this.#keys.all, this.#applied.position, this.#follower);
  }

  /** Goes on with a watch that has begun at the applied revision. */
  goOnWith(held: HeldWatch): void {
    this.#watch = held.watch;
    held.passTo(this.#follower);
  }

  close(): void {
    this.#isClosing = true;
    this.#watch?.close();
  }

  /**
   * Whether the store is the one that was followed.
   * @param watched See `findChange`.
   */
  async #isSame(watched: bigint | null): Promise<boolean> {
    const change = await findChange(this.#client, this.#keys, this.mark, watched);
    if (change === null || this.#change !== null) return change === null;
    this.#giveUp(change);
    return false;
  }

  /** The store can no longer be followed: the hub stops following and writing, and gives up its lease. To its clients, it has lost the store. */
  #giveUp(change: string): void {
    this.#change = change;
    this.#log.error(change);
    this.#watch?.close();
    this.#lost();
  }

  /** etcd has compacted the revisions this hub needs, because it stalled for too long. */
  async #beginAnew(): Promise<void> {
    this.#log.warn(
      'etcd has compacted changes that this hub had not seen yet; it is reading everything again',
    );
    while (!this.#isClosing) {
      try {
        const state = await readState(this.#client, this.#keys);
        // Not before: what was read would be of another store if it was replaced meanwhile.
        if (!(await this.#isSame(null))) return;
        this.#loads += 1;
        this.#applied.leap(state);
        this.begin();
        return;
      } catch (error) {
        if (error instanceof UnreadableRecordError) {
          this.#giveUp(`${error.message}; then restart this hub`);
          return;
        }
        if (!(error instanceof EtcdError)) throw error;
        await passed(this.#client.timers, RETRY_MS);
      }
    }
  }
}
