import { randomBytes } from 'node:crypto';
import { type CallOff, passed } from '../../lib/timers.js';
import type { EtcdClient } from './client/client.js';
import { EtcdError } from './client/endpoint.js';
import { METHODS, RESULT, TARGET } from './client/messages.js';
import type { Keys } from './keys.js';
import { DEAD_MS } from '../log.js';

/** How long a silent hub counts as running, in seconds. */
const LEASE_SECONDS = DEAD_MS / 1000;
/** How often the lease is renewed, in milliseconds. */
const RENEW_MS = 2000;
/** How long a renewal may take, over all nodes, in milliseconds. */
const RENEW_DEADLINE_MS = 4000;
const RETRY_MS = 500;

/**
 * Keeps this hub counted as running: through a key that disappears when its lease is not renewed. Each time the others have declared it
 * dead, it joins again under a new name.
 */
export class Membership {
  readonly #client: EtcdClient;
  readonly #keys: Keys;
  readonly #name: string;
  #hub = '';
  /** The revision from which it counts as running. */
  #since = 0;
  #lease = 0n;
  /** When the last answered renewal was requested. */
  #renewedAt: number;
  #callOff: CallOff | null = null;
  #isOver = false;

  /** @param name The hub's name for people. */
  constructor(client: EtcdClient, keys: Keys, name: string) {
    this.#client = client;
    this.#keys = keys;
    this.#name = name;
    this.#renewedAt = client.timers.now();
  }

  get #value(): Buffer {
    return Buffer.from(JSON.stringify({ name: this.#name }));
  }

  /** The name of this run of the hub; a new one after each `join`. */
  get hub(): string {
    return this.#hub;
  }

  /** Whether it should be among the running hubs at a revision. */
  isDueAt(revision: number): boolean {
    return this.#hub !== '' && this.#since <= revision;
  }

  /** How long ago the lease was last renewed, in milliseconds. */
  get ageMs(): number {
    return this.#client.timers.now() - this.#renewedAt;
  }

  /**
   * Acquires a lease and registers this hub as running.
   * @throws EtcdError (as a rejection)
   */
  async join(): Promise<void> {
    const hub = `${this.#name}-${randomBytes(6).toString('hex')}`;
    // Choosing the id ourselves makes the request repeatable; etcd's ids are positive.
    const lease = randomBytes(8).readBigUInt64BE() >> 1n;
    const askedAt = this.#client.timers.now();
    await this.#grant(lease);
    const key = this.#keys.hub(hub);
    const { header } = await this.#client.call(METHODS.txn, {
      compare: [{ target: TARGET.version, result: RESULT.equal, key, version: 0 }],
      success: [{ put: { key, value: this.#value, lease } }],
    });
    this.#hub = hub;
    this.#lease = lease;
    this.#renewedAt = askedAt;
    this.#since = header!.revision;
    this.#schedule(RENEW_MS);
  }

  /** The others have declared this hub dead: tries to join until it counts as running again. */
  async rejoin(): Promise<void> {
    const old = this.#lease;
    this.#hub = '';
    this.#callOff?.();
    while (!this.#isOver) {
      try {
        await this.join();
        break;
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        await passed(this.#client.timers, RETRY_MS);
      }
    }
    await this.#revoke(old);
  }

  /**
   * Writes once more that this hub runs, which changes nothing: shows whether the store can be written.
   * @throws EtcdError (as a rejection) when it cannot.
   */
  async affirm(): Promise<void> {
    const key = this.#keys.hub(this.#hub);
    await this.#client.call(METHODS.txn, {
      compare: [{ target: TARGET.version, result: RESULT.greater, key, version: 0 }],
      success: [{ put: { key, value: this.#value, lease: this.#lease } }],
    });
  }

  /** Deregisters this hub, which ends its sessions at once. */
  async leave(): Promise<void> {
    this.#isOver = true;
    this.#callOff?.();
    await this.#revoke(this.#lease);
  }

  async #grant(id: bigint): Promise<void> {
    try {
      await this.#client.call(METHODS.leaseGrant, { ttl: LEASE_SECONDS, id });
    } catch (error) {
      // The response to an earlier, equal request was lost.
      if (error instanceof EtcdError && error.exists) return;
      throw error;
    }
  }

  /** If this fails, the lease expires by itself. */
  async #revoke(id: bigint): Promise<void> {
    await this.#client.call(METHODS.leaseRevoke, { id }).catch((error: unknown) => {
      if (!(error instanceof EtcdError)) throw error;
    });
  }

  #schedule(ms: number): void {
    if (this.#isOver) return;
    this.#callOff?.();
    this.#callOff = this.#client.timers.after(ms, () => {
      void this.#renew();
    });
  }

  async #renew(): Promise<void> {
    const hub = this.#hub;
    const askedAt = this.#client.timers.now();
    try {
      const { ttl } = await this.#client.exchange(
        METHODS.leaseKeepAlive,
        { id: this.#lease },
        RENEW_DEADLINE_MS,
      );
      if (hub !== this.#hub) return;
      // An expired lease takes the key with it, which the watch reports.
      if (ttl > 0) this.#renewedAt = Math.max(this.#renewedAt, askedAt);
      this.#schedule(RENEW_MS);
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      if (hub === this.#hub) this.#schedule(RETRY_MS);
    }
  }
}
