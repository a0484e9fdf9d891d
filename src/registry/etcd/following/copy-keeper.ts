import type { CopyChange, CopyMark, LocalCopy } from '../../local-copy.js';
import { passed, type Timers } from '../../../lib/timers.js';
import { type ProviderRecord, standingOf } from '../record.js';
import type { SharedLogLogger } from '../settings.js';

/** What a keeper needs to know of what is applied, and of the store. */
export interface KeeperHost {
  /** Of the store. */
  epoch(): string;
  /** The last applied revision. */
  position(): number;
  /** A revision after which nothing that clients see has changed so far. */
  unchangedSince(): number;
  /** The ids of all providers with a record. */
  providers(): Iterator<string, undefined>;
  /** The revision of a provider's record; undefined if there is none. */
  revisionOf(providerId: string): number | undefined;
  /** The running hubs. */
  hubs(): Iterable<string>;
  /** Reads records from the store, with their revisions. */
  read(providerIds: readonly string[]): Promise<Map<string, { revision: number; record: ProviderRecord }>>;
}

/** Changes to be written in one transaction. */
interface Batch {
  /** The last change of each provider and hub. */
  changes: Map<string, CopyChange>;
  /** Where the copy stands with it; null while the copy is being filled. */
  mark: CopyMark | null;
  /** When it was complete. */
  at: number;
}

/** How old changes are when they are written, in milliseconds: whoever comes back with a younger cursor after a restart resumes from it. */
const LAG_MS = 30_000;
/** Beyond this many changes, the oldest are written at once. */
const MAX_LAGGING = 20_000;
/** Beyond this many, the disk does not keep up, and the copy has to be made anew. */
const MAX_PENDING = 100_000;
/** How many changes make a transaction; the last revision is never split. */
const MAX_BATCH = 1000;
/** After this long without changes, the mark alone is written, so that the store still reaches back to it; in milliseconds. */
const IDLE_MS = 60_000;
/** How many records to read at once while the copy is filled: etcd accepts 128 operations per transaction. */
const PAGE = 100;
/** How long to wait after each page, in milliseconds: there is no hurry, and others need the store. */
const PAGE_PAUSE_MS = 5;
/** How long to wait after a failure before the copy is made anew, in milliseconds. */
const RETRY_MS = 60_000;

/**
 * Keeps the local copy of the store somewhat behind what is applied. A copy that does not exist yet, or is of no use, is filled from the store
 * in the background, while changes are written to it as they come. Whatever goes wrong only costs a slower start.
 */
export class CopyKeeper {
  readonly #copy: LocalCopy;
  readonly #timers: Timers;
  readonly #host: KeeperHost;
  readonly #log: SharedLogLogger;
  readonly #lagMs: number;
  /** The changes that are being collected. */
  #open = new Map<string, CopyChange>();
  #openedAt: number;
  /** Collected changes, oldest first. */
  #batches: Batch[] = [];
  #pending = 0;
  #writing: Promise<void> | null = null;
  #filling: Promise<void> | null = null;
  /** Counts the attempts to keep a copy, each of which ends with the next. */
  #attempt = 0;
  #state: 'off' | 'filling' | 'complete' = 'off';
  /** When to make the copy anew while it is off. */
  #retryAt = Number.NEGATIVE_INFINITY;
  #markedRevision = -1;
  #hasFailed = false;
  /** Whether it was told that the present copy is complete. */
  #isTold = false;
  #isClosing = false;

  /** @param lagMs How old changes are when they are written, if not 30 s. */
  constructor(
    copy: LocalCopy,
    timers: Timers,
    host: KeeperHost,
    log: SharedLogLogger,
    lagMs: number = LAG_MS,
  ) {
    this.#copy = copy;
    this.#timers = timers;
    this.#host = host;
    this.#log = log;
    this.#lagMs = lagMs;
    this.#openedAt = timers.now();
  }

  /** What is applied comes from the copy, which therefore only has to be continued. */
  goOn(): void {
    this.#state = 'complete';
    this.#isTold = true;
    this.#openedAt = this.#timers.now();
  }

  /** What is applied has come about otherwise than through the changes told: the copy is made anew. */
  makeAnew(): void {
    this.#drop(Number.NEGATIVE_INFINITY);
  }

  /** A record was written. */
  changed(providerId: string, record: ProviderRecord, revision: number): void {
    if (this.#state === 'off') return;
    const standing = standingOf(providerId, record, revision);
    const { by } = record.made;
    if (by !== 'attach' && by !== 'detach')
      this.#put(providerId, { kind: 'record', standing, content: record });
    else {
      // Sessions leave the rest of a record as it is.
      const before = this.#open.get(providerId);
      const content = before?.kind === 'record' ? before.content : null;
      this.#put(providerId, { kind: 'record', standing, content });
    }
  }

  /** A record was deleted. */
  gone(providerId: string): void {
    if (this.#state !== 'off') this.#put(providerId, { kind: 'gone', providerId });
  }

  hub(hub: string, isRunning: boolean): void {
    // Provider ids contain no spaces.
    if (this.#state !== 'off') this.#put(`hub ${hub}`, { kind: 'hub', hub, isRunning });
  }

  /** Everything at one revision was told. */
  reached(): void {
    if (this.#open.size >= MAX_BATCH) this.#complete();
  }

  /** Writes what is due. Called periodically, between revisions. */
  tick(): void {
    if (this.#isClosing) return;
    const now = this.#timers.now();
    if (this.#state === 'off') {
      if (now >= this.#retryAt && this.#filling === null) this.#fill();
      return;
    }
    const { size } = this.#open;
    const age = now - this.#openedAt;
    if (size > 0 ? age >= this.#lagMs / 6 : age >= IDLE_MS && this.#markedRevision !== this.#host.position())
      this.#complete();
    this.#write();
  }

  /** Ends with the copy as far behind as it is: what is missing is still in the store, and of use for resumes there. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#attempt += 1;
    await this.#filling;
    await this.#writing;
    await this.#copy.close().catch((error: unknown) => {
      this.#tell(error as Error);
    });
  }

  #put(key: string, change: CopyChange): void {
    if (this.#open.size === 0) this.#openedAt = this.#timers.now();
    const before = this.#open.size;
    this.#open.set(key, change);
    this.#pending += this.#open.size - before;
    if (this.#pending > MAX_PENDING) this.#failed(new Error('the disk does not keep up with the changes'));
  }

  #complete(): void {
    const revision = this.#host.position();
    const since = Math.min(this.#host.unchangedSince(), revision);
    const mark = this.#state === 'complete' ? { epoch: this.#host.epoch(), revision, since } : null;
    const at = this.#timers.now();
    this.#batches.push({ changes: this.#open, mark, at });
    this.#open = new Map();
    this.#openedAt = at;
    if (mark !== null) this.#markedRevision = revision;
    this.#write();
  }

  #write(): void {
    if (this.#writing !== null || this.#isClosing) return;
    const [batch] = this.#batches;
    if (batch === undefined) return;
    const isYoung = batch.mark !== null && this.#timers.now() - batch.at < this.#lagMs;
    if (isYoung && this.#pending <= MAX_LAGGING) return;
    this.#batches.shift();
    const attempt = this.#attempt;
    this.#writing = this.#copy
      .write([...batch.changes.values()], batch.mark)
      .then(
        () => {
          if (attempt === this.#attempt) this.#written(batch);
        },
        (error: unknown) => {
          if (attempt === this.#attempt) this.#failed(error as Error);
        },
      )
      .finally(() => {
        this.#writing = null;
        this.#write();
      });
  }

  #written({ changes, mark }: Batch): void {
    this.#pending -= changes.size;
    if (mark === null) return;
    this.#hasFailed = false;
    if (this.#isTold) return;
    this.#isTold = true;
    this.#log.info('the local copy of the store is complete');
  }

  #failed(error: Error): void {
    this.#tell(error);
    this.#drop(this.#timers.now() + RETRY_MS);
  }

  #tell({ message }: Error): void {
    if (!this.#hasFailed)
      this.#log.warn(
        `the local copy of the store cannot be kept, so that the next start takes longer: ${message}`,
      );
    this.#hasFailed = true;
  }

  #drop(retryAt: number): void {
    this.#attempt += 1;
    this.#state = 'off';
    this.#isTold = false;
    this.#retryAt = retryAt;
    this.#open = new Map();
    this.#batches = [];
    this.#pending = 0;
  }

  #fill(): void {
    const attempt = this.#attempt;
    this.#filling = this.#fillIn(() => attempt === this.#attempt)
      .catch((error: unknown) => {
        if (attempt === this.#attempt) this.#failed(error as Error);
      })
      .finally(() => {
        this.#filling = null;
      });
  }

  /** @param isWanted Whether this attempt goes on. */
  async #fillIn(isWanted: () => boolean): Promise<void> {
    await this.#writing;
    await this.#copy.clear();
    if (!isWanted()) return;
    this.#state = 'filling';
    for (const hub of this.#host.hubs()) this.hub(hub, true);
    const left = this.#host.providers();
    for (let isOver = false; !isOver;) {
      const page: string[] = [];
      while (!isOver && page.length < PAGE) {
        const next = left.next();
        if (next.done === true) isOver = true;
        else page.push(next.value);
      }
      if (page.length > 0) await this.#fillPage(page, isWanted);
      if (!isWanted()) return;
    }
    this.#state = 'complete';
    this.#complete();
  }

  async #fillPage(page: readonly string[], isWanted: () => boolean): Promise<void> {
    for (let left = page; left.length > 0 && isWanted();) {
      left = await this.#fillWith(left, isWanted);
      do await passed(this.#timers, PAGE_PAUSE_MS);
      while (isWanted() && this.#pending > 2 * MAX_BATCH);
    }
  }

  /** @returns Those whose records have to be read again. */
  async #fillWith(providerIds: readonly string[], isWanted: () => boolean): Promise<string[]> {
    const read = await this.#host.read(providerIds);
    const left: string[] = [];
    for (const [providerId, { revision, record }] of read) {
      if (!isWanted()) return [];
      const applied = this.#host.revisionOf(providerId);
      if (applied === revision) {
        const standing = standingOf(providerId, record, revision);
        this.#put(providerId, { kind: 'record', standing, content: record });
      } else if (applied !== undefined) {
        // What has happened in between may be told without the content, or after the copy is complete.
        left.push(providerId);
      }
    }
    if (this.#open.size >= MAX_BATCH) this.#complete();
    return left;
  }
}
