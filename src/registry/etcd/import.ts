import { randomBytes } from 'node:crypto';
import type { AdvertisementRecord, IdentityRecord } from '../store/records.js';
import type { EtcdClient } from './client/client.js';
import { METHODS, RESULT, TARGET, type Txn } from './client/messages.js';
import { Keys } from './keys.js';
import { encodeRecord } from './record.js';

/** What is imported: providers in the order of their ids. */
export interface ImportSource {
  /** Tells it from others, so that an import goes on with what it began with. */
  fingerprint: string;
  /** How many there are behind an id; all with an empty one. */
  count(after: string): number;
  behind(after: string): Iterable<{
    providerId: string;
    advertisement: AdvertisementRecord | null;
    identity: IdentityRecord | null;
  }>;
}

/** Why nothing can be imported; the message says what to do. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

/** How far an import has come, as the store keeps it while it lasts. */
interface Progress {
  fingerprint: string;
  after: string;
}

/** etcd takes 128 operations and 1.5 MB in one transaction. */
const MAX_RECORDS = 100;
const MAX_BYTES = 1_000_000;
const ABSENT = { target: TARGET.version, result: RESULT.equal, version: 0 };

/**
 * Writes providers into a store that has none, while no hub uses it. It may be interrupted at any point, and goes on from there when it is
 * begun again with the same source: each transaction writes, with its records, how far it has come.
 */
export class Import {
  readonly #client: EtcdClient;
  readonly #keys: Keys;
  readonly #source: ImportSource;
  #after = '';
  /** Of the mark that says how far it has come. */
  #revision = 0;

  private constructor(client: EtcdClient, keys: Keys, source: ImportSource) {
    this.#client = client;
    this.#keys = keys;
    this.#source = source;
  }

  /**
   * Begins an import, or goes on with one that was interrupted.
   * @throws ImportError when the store is not empty, or in use.
   */
  static async begin(client: EtcdClient, prefix: string, source: ImportSource): Promise<Import> {
    const begun = new Import(client, new Keys(prefix), source);
    await begun.#begin();
    return begun;
  }

  /** How many providers are left. */
  get left(): number {
    return this.#source.count(this.#after);
  }

  /**
   * Writes all that is left. Advertisements come back as suspect, as after a restart.
   * @param keeps Whether an advertisement is still of use; of others only the owner is remembered.
   * @param progress Told how many providers each transaction has written.
   * @throws ImportError when a hub has begun to use the store.
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
        'the store has providers already: import into an empty one, e.g. below another DISCOVERY_ETCD_PREFIX',
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
    // The transaction may have arrived twice, and the first answer got lost.
    else if ((await this.#read())?.after !== last) await this.#refuse();
    this.#after = last;
  }

  async #end(): Promise<void> {
    const success = [{ delete: { key: this.#keys.importing } }];
    const revision = await this.#transact({ compare: this.#fence, success });
    if (revision === null && (await this.#read()) !== null) await this.#refuse();
  }

  /** @returns The revision that it made; null when what it compared was otherwise. */
  async #transact(txn: Txn): Promise<number | null> {
    const { succeeded, header } = await this.#client.call(METHODS.txn, txn);
    return succeeded ? header!.revision : null;
  }

  /** Reads how far the import has come, and that its mark is what the next transaction expects. */
  async #read(): Promise<Progress | null> {
    const { kvs } = await this.#client.call(METHODS.range, { key: this.#keys.importing });
    const [kv] = kvs;
    if (kv === undefined) return null;
    this.#revision = kv.modRevision;
    return JSON.parse(Buffer.from(kv.value).toString('utf8')) as Progress;
  }

  async #refuse(): Promise<never> {
    await this.#refuseHubs();
    throw new ImportError('somebody else imports into this store: let one of the two end');
  }

  async #refuseHubs(): Promise<void> {
    const { kvs } = await this.#client.call(METHODS.range, this.#keys.hubs);
    if (kvs.length === 0) return;
    const names = kvs.map(({ key }) => this.#keys.read(key)!.id).join(', ');
    throw new ImportError(
      `hubs use this store: ${names}. Stop them, and run the import, again if it had begun: it goes on where it was. One that has died counts for 15 s more.`,
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
