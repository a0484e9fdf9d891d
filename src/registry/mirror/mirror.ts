import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { threadScript } from '../../lib/thread-script.js';
import type { DurableEntry, Entry } from '../entry.js';
import { LocalOrder } from '../local-order.js';
import { type Deliver, type HeartbeatBatch, type Log, type OpenLog, PersistenceError } from '../log.js';
import { WorkerChannel } from './channel.js';
import { type LoadedMirror, loadMirror, type MirrorLogger } from './reading/load.js';
import type { DatabaseLocation } from './location.js';
import type { Operation, Refusal, Results, WorkerSetup } from './messages.js';
import { type AwaitedWrite, type Batch, operationsOf, WriteQueue } from './queue.js';
import { toAdvertisementRow, toCountRow, toIdentityRow } from './rows.js';
import type { CountRecord } from '../store/records.js';

/** The most operations per transaction. */
const MAX_BATCH = 1000;
/** How many awaited writes may queue; further ones are refused. */
const MAX_WAITING = 50_000;
/** How often to retry while writing fails, in milliseconds. */
const PROBE_INTERVAL_MS = 1000;
/** How often to check whether the write in progress is still the same, in milliseconds. */
const BEAT_MS = 1000;
/** A transaction in progress at this many checks is a problem. A hub that stalled itself has checked only once. */
const STALL_BEATS = 5;
/** How long closing may take before a hanging disk is given up, in milliseconds. */
const CLOSE_DEADLINE_MS = 10_000;
/** Limits the thread's young generation, in megabytes: it would use all it gets, without benefit. */
const YOUNG_GENERATION_MB = 4;

/**
 * Mirrors the registry into SQLite, in a thread of its own. One transaction is in progress at a time; everything that arrives meanwhile
 * shares the next one.
 */
export class Mirror implements Log {
  readonly #setup: WorkerSetup;
  readonly #log: MirrorLogger;
  readonly #channel: WorkerChannel;
  readonly #queue = new WriteQueue();
  readonly #order = new LocalOrder();
  #writing: Promise<void> | null = null;
  #underWay: { size: number; since: number; beats: number } | null = null;
  readonly #pulse: NodeJS.Timeout;
  #failure: string | null = null;
  /** Whether a transaction is due even if nothing waits, or only leftovers of a failure. */
  #probeDue = false;
  #probeTimer: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;

  /** Use `open`, which also makes sure that writing works. */
  constructor({ location, fencingToken }: LoadedMirror, log: MirrorLogger) {
    this.#setup = { location, fencingToken };
    this.#log = log;
    this.#channel = new WorkerChannel(
      () => this.spawnWorker(this.#setup),
      (reason) => {
        this.#log.error(`the mirror's thread died and is being restarted: ${reason.message}`);
        // Writes even if nothing is queued, so that nobody else can take the file meanwhile.
        this.#probe();
      },
    );
    this.#pulse = setInterval(() => {
      if (this.#underWay !== null) this.#underWay.beats += 1;
    }, BEAT_MS).unref();
  }

  /**
   * Starts the thread on the database that `loadMirror` has read, and makes a first write.
   * @throws Error if that fails. The message says what to do.
   */
  static async open<M extends Mirror>(
    this: new (loaded: LoadedMirror, log: MirrorLogger) => M,
    loaded: LoadedMirror,
    log: MirrorLogger,
  ): Promise<M> {
    const mirror = new this(loaded, log);
    mirror.#probe();
    await mirror.#writing;
    const { problem } = mirror;
    if (problem === null) return mirror;
    await mirror.close();
    throw new Error(problem);
  }

  /** Opens the mirror of a database. */
  static in(location: DatabaseLocation, log: MirrorLogger): OpenLog<Mirror> {
    return async (sink) => Mirror.open(await loadMirror(location, sink, log), log);
  }

  get epoch(): string {
    return this.#order.epoch;
  }

  get position(): number {
    return this.#order.position;
  }

  get hub(): string {
    return this.#order.hub;
  }

  get isShared(): boolean {
    return false;
  }

  get silentMs(): number {
    return 0;
  }

  get problem(): string | null {
    return this.#failure ?? this.#stall;
  }

  /** How many operations are not durable yet. */
  get pending(): number {
    return this.#queue.awaitedCount + this.#queue.lazyCount + (this.#underWay?.size ?? 0);
  }

  /** Age of the oldest operation that is not durable yet, in milliseconds; 0 if there is none. */
  get lagMs(): number {
    const underWay = this.#underWay;
    const since = underWay !== null && underWay.size > 0 ? underWay.since : this.#queue.oldestSince;
    return since === null ? 0 : performance.now() - since;
  }

  /** How often the thread had to be restarted. */
  get restarts(): number {
    return this.#channel.deaths;
  }

  deliverTo(deliver: Deliver): void {
    this.#order.deliverTo(deliver);
  }

  propose(entry: Entry): Promise<number> {
    return this.#order.propose(entry, (durable) => this.#persist(durable));
  }

  #persist(entry: DurableEntry): Promise<number> {
    if (this.#closing !== null) return Promise.reject(new PersistenceError('the hub is shutting down'));
    // After any other failure the next write may succeed; behind a hanging one it would only wait.
    if (this.#stall !== null) return Promise.reject(new PersistenceError(this.#stall));
    if (this.#queue.awaitedCount >= MAX_WAITING) {
      return Promise.reject(
        new PersistenceError(
          `overloaded: ${String(MAX_WAITING)} writes are waiting for the disk; try again later`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      const resolveApplied = (): void => {
        resolve(this.#order.deliver(entry));
      };
      this.#queue.add({
        operation: operationOf(entry),
        since: performance.now(),
        resolve: resolveApplied,
        reject,
      });
      this.#write();
    });
  }

  /** Takes the calling thread about half a millisecond per 1000 heartbeats, so call it often with few. */
  saveHeartbeats(batch: HeartbeatBatch): void {
    this.#queue.addHeartbeats(batch);
    this.#write();
  }

  saveCounts(records: readonly CountRecord[]): void {
    this.#queue.addCounts(records.map(toCountRow));
    this.#write();
  }

  purge(expiredIds: string[], wall: number): void {
    this.#queue.addPurge(expiredIds, wall);
    this.#write();
  }

  /** @throws PersistenceError if the disk hangs, and with it the mirror's thread and whatever waits for its end. */
  close(): Promise<void> {
    this.#closing ??= this.#closeInTime();
    return this.#closing;
  }

  /** Starts a worker, also to replace one that died. */
  protected spawnWorker(setup: WorkerSetup): Worker {
    return new Worker(threadScript('mirror'), {
      name: 'mirror',
      workerData: setup,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
  }

  /** What is wrong if the write in progress takes too long; null while it does not. */
  get #stall(): string | null {
    const beats = this.#underWay?.beats ?? 0;
    if (beats < STALL_BEATS) return null;
    return `the disk has not finished a write for ${String((beats * BEAT_MS) / 1000)} s`;
  }

  #probe(): void {
    this.#probeDue = true;
    this.#write();
  }

  /** Starts writing what is queued. While writing fails, lazy writes wait for the next retry. */
  #write(): void {
    if (this.#closing === null && this.#writing === null && this.#hasWork()) this.#writing = this.#writeAll();
  }

  #hasWork(): boolean {
    const { awaitedCount, lazyCount } = this.#queue;
    return this.#probeDue || awaitedCount > 0 || (this.#failure === null && lazyCount > 0);
  }

  async #writeAll(): Promise<void> {
    // Everything queued in the present event-loop iteration shares the first transaction.
    await nextTurn();
    while (this.#hasWork()) await this.#writeNext();
    // In the same step as the last check, or writes added in between would be stranded.
    this.#writing = null;
  }

  async #writeNext(): Promise<void> {
    const withLazy = this.#probeDue || this.#failure === null;
    this.#probeDue = false;
    const since = this.#queue.oldestSince ?? performance.now();
    const batch = this.#queue.take(MAX_BATCH, withLazy);
    const operations = operationsOf(batch);
    this.#underWay = { size: operations.length, since, beats: 0 };
    const result = await this.#send(operations);
    this.#underWay = null;
    if (result.problem === null) this.#succeed(batch, result.refusals);
    else this.#fail(batch, since, result.problem);
  }

  async #send(operations: readonly Operation[]): Promise<Results['write']> {
    try {
      return await this.#channel.request('write', operations);
    } catch (error) {
      return { problem: `the mirror's thread keeps dying: ${(error as Error).message}` };
    }
  }

  #succeed({ awaited }: Batch, refusals: readonly Refusal[]): void {
    if (this.#failure !== null) this.#log.info('the mirror is writing again');
    this.#failure = null;
    if (this.#probeTimer !== null) clearTimeout(this.#probeTimer);
    this.#probeTimer = null;
    const refused = new Map(refusals);
    for (const [index, write] of awaited.entries()) {
      const reason = refused.get(index);
      if (reason === undefined) complete(write);
      else write.reject(new PersistenceError(`the write was refused: ${reason}`));
    }
    for (const [index, reason] of refusals) {
      if (index >= awaited.length)
        this.#log.warn(`the mirror could not write a heartbeat, count or removal: ${reason}`);
    }
  }

  #fail(batch: Batch, since: number, problem: string): void {
    if (this.#failure !== problem) this.#log.error(`the mirror cannot write: ${problem}`);
    this.#failure = problem;
    this.#probeDue = false;
    this.#queue.restoreLazy(batch, since);
    for (const write of batch.awaited) write.reject(new PersistenceError(problem));
    if (this.#probeTimer !== null || this.#closing !== null) return;
    this.#probeTimer = setTimeout(() => {
      this.#probeTimer = null;
      this.#probe();
    }, PROBE_INTERVAL_MS).unref();
  }

  async #closeInTime(): Promise<void> {
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      deadline = setTimeout(() => {
        const seconds = String(CLOSE_DEADLINE_MS / 1000);
        reject(
          new PersistenceError(
            `the disk hangs: it has not finished the last writes within ${seconds} s, and ${String(this.pending)} of ` +
              "them, none of them acknowledged, may be lost; check it, and the system's log",
          ),
        );
      }, CLOSE_DEADLINE_MS);
    });
    try {
      await Promise.race([this.#close(), late]);
    } finally {
      clearTimeout(deadline);
      clearInterval(this.#pulse);
    }
  }

  async #close(): Promise<void> {
    if (this.#probeTimer !== null) clearTimeout(this.#probeTimer);
    await this.#writing;
    // Leftovers of a failure get one more chance.
    this.#probeDue = this.#queue.lazyCount > 0;
    await this.#writeAll();
    const lost = this.#queue.lazyCount;
    if (lost > 0)
      this.#log.warn(
        `the mirror is closing without having written ${String(lost)} heartbeats, counts and removals`,
      );
    const problem = await this.#channel.request('close', null).then(
      (result) => result.problem,
      (error: unknown) => (error as Error).message,
    );
    if (problem !== null) this.#log.error(`the mirror did not close cleanly: ${problem}`);
  }
}

/** An entry that fails on delivery only fails its own proposer; later entries are still delivered. */
function complete(write: AwaitedWrite): void {
  try {
    write.resolve();
  } catch (error) {
    write.reject(error as Error);
  }
}

function operationOf(entry: DurableEntry): Operation {
  switch (entry.kind) {
    case 'advertise':
      return [
        'advertise',
        toAdvertisementRow(entry.record),
        entry.identity === null ? null : toIdentityRow(entry.identity),
      ];
    case 'withdraw':
      return ['remove', entry.providerId, entry.identity === null ? null : toIdentityRow(entry.identity)];
    case 'bind':
      return ['identity', toIdentityRow(entry.identity)];
  }
}
