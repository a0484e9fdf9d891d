import { rmSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { threadScript } from '../../../lib/thread-script.js';
import type { Copied, CopyChange, CopyMark, LocalCopy } from '../../local-copy.js';
import type { KeptSink } from '../../log.js';
import type { IdentityRecord } from '../../store/records.js';
import { WorkerChannel } from '../channel.js';
import { checkHeader, connect, DamagedFileError, reserveDatabase, takeFencingToken } from '../database.js';
import { describeFailure, isUnreadable } from '../failures.js';
import type { Found, WorkerSetup } from '../messages.js';
import { readAndCheck, wholeOf } from '../reading/load.js';
import { toAdvertisementRow, toIdentityRow } from '../rows.js';
import { createCopyTables, readHubs, readMark } from './copy-tables.js';
import type { CopyOperation, StandingBatch } from '../messages.js';
import { standingsIn, toStandingRow } from './standings.js';

/** Limits the thread's young generation, in megabytes: it would use all it gets, without benefit. */
const YOUNG_GENERATION_MB = 4;

/** A copy of the store that hubs share, in a file like that of a single hub, written by a thread like the mirror's. */
export class FileCopy implements LocalCopy {
  readonly #path: string;
  #channel: WorkerChannel;
  #fencingToken = 0;

  /** @param path The file, which nobody else uses. */
  constructor(path: string) {
    this.#path = path;
    this.#channel = this.#newChannel();
  }

  async mark(): Promise<CopyMark | null> {
    return this.#inFile(readMark);
  }

  async newest(count: number): Promise<{ providerId: string; revision: number }[]> {
    const sql =
      'SELECT provider_id AS providerId, revision FROM standings ORDER BY revision DESC, provider_id LIMIT ?';
    return this.#inFile((db) =>
      db.prepare<[number], { providerId: string; revision: number }>(sql).all(count),
    );
  }

  async load(sink: KeptSink): Promise<Copied> {
    const batches: StandingBatch[] = [];
    const bindings = new Map<string, IdentityRecord>();
    let advertised = 0;
    const take = (found: Found): void => {
      if (found.kind === 'copied') {
        advertised += found.batch.ids.length;
        sink.copied(found.batch);
      } else if (found.kind === 'identities') {
        for (const record of found.records) {
          bindings.set(record.providerId, record);
          sink.identity(record);
        }
      } else if (found.kind === 'standings') {
        batches.push(found.batch);
      } else if (found.kind === 'skipped' && found.rows > 0) {
        throw new DamagedFileError(`${String(found.rows)} rows cannot be read`);
      }
    };
    return this.#inFile(async (db) => {
      const count = db.prepare<[], number>('SELECT count(*) FROM advertisements').pluck().get() ?? 0;
      sink.expect(count);
      await readAndCheck(db, this.#path, wholeOf(db, true), take);
      if (advertised !== count || !sink.isConsistent())
        throw new DamagedFileError('a provider is missing, or occurs twice');
      return { hubs: readHubs(db), standings: standingsIn(batches), bindings };
    });
  }

  async clear(): Promise<void> {
    await this.close();
    this.#channel = this.#newChannel();
    try {
      // Whoever else uses the file keeps it.
      await this.#inFile(() => undefined);
    } catch (error) {
      if (!isUnreadable((error as Error).cause)) throw error;
    }
    for (const suffix of ['-wal', '-shm', '-journal', '']) rmSync(this.#path + suffix, { force: true });
    await this.#inFile(() => undefined);
  }

  async write(changes: readonly CopyChange[], mark: CopyMark | null): Promise<void> {
    const operations = changes.map(operationOf);
    if (mark !== null) operations.push(['mark', mark]);
    const { problem } = await this.#channel.request('copy', operations);
    if (problem !== null) throw new Error(problem);
  }

  async close(): Promise<void> {
    const { problem } = await this.#channel.request('close', null);
    if (problem !== null) throw new Error(problem);
  }

  /**
   * Opens the file, creating it where it is missing, and draws its fencing token, so that nobody writes who has opened it before.
   * @throws Error whose message tells the operator what is wrong, and whose cause is what SQLite said.
   */
  async #inFile<Result>(go: (db: Database) => Result | Promise<Result>): Promise<Result> {
    let db: Database | null = null;
    try {
      db = connect({ kind: 'file', path: this.#path }, true);
      checkHeader(this.#path);
      reserveDatabase(db);
      createCopyTables(db);
      const result = await go(db);
      this.#fencingToken = takeFencingToken(db);
      return result;
    } catch (error) {
      throw new Error(describeFailure(this.#path, error), { cause: error });
    } finally {
      db?.close();
    }
  }

  #newChannel(): WorkerChannel {
    return new WorkerChannel(
      () =>
        new Worker(threadScript('mirror'), {
          name: 'copy',
          workerData: {
            location: { kind: 'file', path: this.#path },
            fencingToken: this.#fencingToken,
          } satisfies WorkerSetup,
          resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
        }),
      () => undefined,
    );
  }
}

function operationOf(change: CopyChange): CopyOperation {
  if (change.kind === 'gone') return ['gone', change.providerId];
  if (change.kind === 'hub') return ['hub', change.hub, change.isRunning];
  const standing = toStandingRow(change.standing);
  if (change.content === null) return ['standing', standing];
  const { advertisement, identity } = change.content;
  return [
    'record',
    standing,
    advertisement === null ? null : toAdvertisementRow(advertisement),
    identity === null ? null : toIdentityRow(identity),
  ];
}
