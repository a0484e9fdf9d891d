import { randomBytes } from 'node:crypto';
import type { AdvertisementRecord, IdentityRecord } from '../store/records.js';
import type { EtcdClient } from './client/client.js';
import { METHODS, RESULT, TARGET, type Txn } from './client/messages.js';
import { Keys } from './keys.js';
import { encodeRecord } from './record.js';

/** The providers to import, in id order. */
export interface ImportSource {
  /** Identifies the source, so that an interrupted import only continues with the same one. */
  fingerprint: string;
  /** How many there are after an id; all for an empty one. */
  count(after: string): number;
  behind(after: string): Iterable<{
    providerId: string;
    advertisement: AdvertisementRecord | null;
    identity: IdentityRecord | null;
  }>;
}

/** The import cannot proceed; the message says what to do. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

/** The progress of an import, kept in the store until it is complete. */
interface Progress {
  fingerprint: string;
  after: string;
}

/** etcd accepts up to 128 operations and 1.5 MB per transaction. */
const MAX_RECORDS = 100;
const MAX_BYTES = 1_000_000;
const ABSENT = { target: TARGET.version, result: RESULT.equal, version: 0 };

/**
 * Writes providers into an empty store that no hub uses. It may be interrupted at any point: each transaction also writes the progress,
 * and a new run with the same source continues from there.
 */
export class Import {
  readonly #client: EtcdClient;
  readonly #keys: Keys;
  readonly #source: ImportSource;
  #after = '';
  /** The revision of the progress record. */
  #revision = 0;

  private constructor(client: EtcdClient, keys: Keys, source: ImportSource) {
    this.#client = client;
    this.#keys = keys;
    this.#source = source;
  }

  /**
   * Starts an import, or continues an interrupted one.
   * @throws ImportError if the store is not empty, or in use.
   */
  static async begin(client: EtcdClient, prefix: string, source: ImportSource): Promise<Import> {
    const begun = new Import(client, new Keys(prefix), source);
    await begun.#begin();
    return begun;
  }

  /** How many providers are left to import. */
  get left(): number {
    return this.#source.count(this.#after);
  }

  /**
   * Imports the rest. Advertisements come back as suspect, as after a restart.
   * @param keeps Whether an advertisement is still current; of others only the owner is kept.
   * @param progress Called with how many providers each transaction wrote.
   * @throws ImportError if a hub has started to use the store.
   */
  async run(
    keeps: (advertisement: AdvertisementRecord) => boolean,
    progress: (written: number) => void,
  ): Promise<void> {
    let puts: { key: Buffer; value: Buffer }[] = [];
    let bytes = 0;
    let last = this.#after;
    let passed = 0;
    const write = async (): Promise<void> => {
      if (last === this.#after) return;
      await this.#write(puts, last);
      progress(passed);
      [puts, bytes, passed] = [[], 0, 0];
    };
    for (const { providerId, advertisement: stored, identity } of this.#source.behind(this.#after)) {
      const advertisement = stored !== null && keeps(stored) ? { ...stored, attached: false } : null;
      if (advertisement !== null || identity !== null) {
        const value = encodeRecord({
          writeId: randomBytes(9).toString('base64url'),
          made: { by: advertisement === null ? 'bind' : 'advertise' },
          advertisement,
          needsSession: advertisement?.proof != null,
          identity,
          session: null,
        });
        if (puts.length === MAX_RECORDS || bytes + value.length > MAX_BYTES) await write();
        puts.push({ key: this.#keys.provider(providerId), value });
        bytes += value.length;
      }
      last = providerId;
      passed += 1;
    }
    await write();
    await this.#end();
  }

  async #begin(): Promise<void> {
    const first: Progress = { fingerprint: this.#source.fingerprint, after: '' };
    const { succeeded, header } = await this.#client.call(METHODS.txn, {
      compare: [this.#noProviders, this.#noHubs, { ...ABSENT, key: this.#keys.importing }],
      success: [{ put: this.#mark(first) }],
    });
    if (succeeded) {
      this.#revision = header!.revision;
      return;
    }
    await this.#refuseHubs();
    const progress = await this.#read();
    if (progress === null) {
      throw new ImportError(
        'the store already has providers: import into an empty one, e.g. with another DISCOVERY_ETCD_PREFIX',
      );
    }
    if (progress.fingerprint !== this.#source.fingerprint) {
      throw new ImportError(
        `an import of another file, or of another state of this one (${progress.fingerprint}), was interrupted: finish it with that file, or delete all keys below DISCOVERY_ETCD_PREFIX with "etcdctl del --prefix"`,
      );
    }
    this.#after = progress.after;
  }

  async #write(puts: readonly { key: Buffer; value: Buffer }[], last: string): Promise<void> {
    const progress: Progress = { fingerprint: this.#source.fingerprint, after: last };
    const success = [...puts, this.#mark(progress)].map((put) => ({ put }));
    const revision = await this.#transact({ compare: this.#fence, success });
    if (revision !== null) this.#revision = revision;
    // The transaction may have arrived twice if the first response was lost.
    else if ((await this.#read())?.after !== last) await this.#refuse();
    this.#after = last;
  }

  async #end(): Promise<void> {
    const success = [{ delete: { key: this.#keys.importing } }];
    const revision = await this.#transact({ compare: this.#fence, success });
    if (revision === null && (await this.#read()) !== null) await this.#refuse();
  }

  /** @returns The new revision; null if a comparison failed. */
  async #transact(txn: Txn): Promise<number | null> {
    const { succeeded, header } = await this.#client.call(METHODS.txn, txn);
    return succeeded ? header!.revision : null;
  }

  /** Reads the progress, and the revision that the next transaction expects it at. */
  async #read(): Promise<Progress | null> {
    const { kvs } = await this.#client.call(METHODS.range, { key: this.#keys.importing });
    const [kv] = kvs;
    if (kv === undefined) return null;
    this.#revision = kv.modRevision;
    return JSON.parse(Buffer.from(kv.value).toString('utf8')) as Progress;
  }

  async #refuse(): Promise<never> {
    await this.#refuseHubs();
    throw new ImportError('another import into this store is running: let only one of them finish');
  }

  async #refuseHubs(): Promise<void> {
    const { kvs } = await this.#client.call(METHODS.range, this.#keys.hubs);
    if (kvs.length === 0) return;
    const names = kvs.map(({ key }) => this.#keys.read(key)!.id).join(', ');
    throw new ImportError(
      `hubs use this store: ${names}. Stop them, then run the import again: it continues where it was. A hub that died counts as running for another 15 s.`,
    );
  }

  get #fence(): NonNullable<Txn['compare']> {
    const { modRevision } = TARGET;
    const mark = { target: modRevision, result: RESULT.equal, key: this.#keys.importing };
    return [{ ...mark, modRevision: this.#revision }, this.#noHubs];
  }

  get #noHubs(): NonNullable<Txn['compare']>[number] {
    return { ...ABSENT, ...this.#keys.hubs };
  }

  get #noProviders(): NonNullable<Txn['compare']>[number] {
    return { ...ABSENT, ...this.#keys.providers };
  }

  #mark(progress: Progress): { key: Buffer; value: Buffer } {
    return { key: this.#keys.importing, value: Buffer.from(JSON.stringify(progress)) };
  }
}
