import type { Proof } from '../protocol/signing.js';
import type { PublishedAdvertisement } from '../protocol/advertisement.js';
import { formatCursor, parseCursor } from '../protocol/cursor.js';
import type { ListQuery } from '../protocol/filters/list-query.js';
import { type Clock, type ClockAnchor, ServiceClock } from '../lib/clock.js';
import { Answers } from './answers/answers.js';
import type { Change, ChangeLog, GoneReason } from './change-log.js';
import { Contact } from './contact.js';
import type { SessionToken } from './entry.js';
import type { Identities } from './identities.js';
import { type FoundPage, type ListPage, ListReader } from './lists/list-reader.js';
import { type Work, WorkQueue } from '../lib/turns/work-queue.js';
import { noLog, type Log } from './log.js';
import type { Moments } from './moments.js';
import { proofOf } from './proofs.js';
import { Restore } from './restore.js';
import { type Attachment, Sessions } from './sessions.js';
import { State } from './state.js';
import { FLUSH_LAG_MS, Upkeep } from './upkeep.js';
import type { Origins } from './store/origins.js';
import type { Lease, Store } from './store/store.js';

export interface RegistrySettings {
  /** How long an advertisement lives after its last heartbeat, in milliseconds. */
  expiryMs: number;
  /** Minimum remaining lifetime after a restart, in milliseconds. */
  restartGraceMs: number;
  /** How many changes are kept for resuming. */
  replayEvents: number;
  /** How often expired rows are deleted from the file, in milliseconds. */
  cleanupMs: number;
}

/** How old the last heartbeat in a binding without an advertisement may be, in milliseconds. */
const TOUCH_MS = 24 * 3_600_000;
/** After how many milliseconds an expiry that the log has not accepted is proposed again. */
const EXPIRY_RETRY_MS = 1000;
/** More than expire in a tick go in the next ones. */
const MAX_EXPIRIES_PER_TICK = 5000;

/**
 * `perTurn` and `quick` are rows visited, each of which takes up to 0.1 µs, or ten times that if it has to be sorted; the others are reads.
 */
const READ_WORK = { perTurn: 10_000, quick: 8192, running: 4, waiting: 4096, waitingOfOne: 1024 } as const;

export type { Attachment, SessionToken };

/** A page of a list, and where in the stream of changes it was true. */
export interface ListAnswer extends ListPage {
  /** `"<epoch>:<seq>"` */
  cursor: string;
}

/**
 * The registry of one hub: answers reads from memory, and turns sessions and the passing of time into entries. An entry takes effect
 * when the log delivers it. Heartbeats are not entries; they only move times.
 */
export class Registry {
  readonly clock: ServiceClock;
  /** Schedules all reads that are made in steps, by client address. */
  readonly work: WorkQueue;
  readonly answers: Answers;
  readonly #state: State;
  readonly #settings: RegistrySettings;
  /** Restores what the log kept, before the hub serves anybody. */
  readonly restore: Restore;
  #log: Log = noLog;
  readonly #lists: ListReader;
  /** Providers with a write in progress: they do not expire in the middle of it. */
  readonly #writing = new Set<string>();
  readonly #upkeep: Upkeep;
  readonly #sessions: Sessions;
  readonly #contact = new Contact();
  readonly #onTakenOver: ((providerId: string) => void)[] = [];
  readonly #monotonic: () => number;

  constructor(settings: RegistrySettings, clock: Clock) {
    this.#settings = settings;
    this.clock = new ServiceClock(clock);
    this.work = new WorkQueue(READ_WORK, setImmediate, () => clock.monotonic());
    this.#state = new State(noLog.epoch, settings.replayEvents, (at) => this.#leaseFrom(at));
    const { store, changes, identities, watchers } = this.#state;
    this.answers = new Answers(store, changes);
    this.#lists = new ListReader(store, watchers, this.clock);
    this.#upkeep = new Upkeep({
      state: this.#state,
      clock: this.clock,
      cleanupMs: settings.cleanupMs,
      log: () => this.#log,
      isWriting: (providerId) => this.#writing.has(providerId),
    });
    this.restore = new Restore(
      store,
      identities,
      this.clock,
      { ...settings, lagMs: FLUSH_LAG_MS },
      (providerId) => {
        this.#upkeep.expired(providerId);
      },
    );
    this.#monotonic = () => clock.monotonic();
    this.#sessions = new Sessions({
      state: this.#state,
      log: () => this.#log,
      steady: () => this.clock.steady(),
      heartbeatAgeOf: (providerId) => {
        const slot = this.store.find(providerId);
        if (slot === undefined) return 0;
        const left = this.store.deadline(slot) - this.#countedNow;
        return Math.max(0, Math.round(settings.expiryMs - left));
      },
      vouch: (providerId, heartbeatAgeMs = 0) => {
        const slot = this.store.find(providerId);
        if (slot === undefined) return;
        this.store.setLease(slot, this.#leaseFrom(this.clock.steady() - heartbeatAgeMs, heartbeatAgeMs));
      },
      takenOver: (providerId) => {
        for (const listener of this.#onTakenOver) listener(providerId);
      },
    });
  }

  get store(): Store {
    return this.#state.store;
  }

  get identities(): Identities {
    return this.#state.identities;
  }

  get changes(): ChangeLog {
    return this.#state.changes;
  }

  get origins(): Origins {
    return this.#state.origins;
  }

  /** How many advertisements were removed, by reason. */
  get gone(): Readonly<Record<GoneReason, number>> {
    return this.#state.gone;
  }

  /** Calls a listener right after each change. Listeners are called in the order in which they registered. */
  onChange(listener: (change: Change) => void): void {
    this.#state.onChange(listener);
  }

  get cursor(): string {
    return formatCursor(this.changes.epoch, this.changes.seq);
  }

  // ---- restart ----------------------------------------------------------------------------------------------

  /** Sets the log, and applies what it delivers. Until then nothing can be written. */
  keepIn(log: Log): void {
    this.#log = log;
    this.changes.startAt(log.epoch, log.position);
    this.#upkeep.saveClock();
    log.deliverTo(
      (entry, position) => {
        this.#sessions.beforeApplying(entry);
        this.#state.apply(entry, position);
        this.#sessions.afterApplying(entry);
      },
      {
        reached: (position) => {
          this.changes.reach(position);
          this.#contact.reached(position);
        },
        leapt: (position) => {
          this.changes.leapTo(position);
        },
        unchangedSince: () => this.changes.seq,
      },
    );
  }

  /** Continues the steady time of an earlier run. Comes before all else that was kept. */
  resumeClock(anchor: ClockAnchor): void {
    this.clock.resume(anchor);
    this.store.shiftTimes(this.clock.shift);
  }

  // ---- reads ------------------------------------------------------------------------------------------------

  /** A copy of one advertisement's JSON; null if there is none. */
  find(providerId: string): Buffer | null {
    const slot = this.store.find(providerId);
    return slot === undefined ? null : Buffer.from(this.store.fragment(slot));
  }

  advertisement(providerId: string): PublishedAdvertisement | null {
    const slot = this.store.find(providerId);
    return slot === undefined ? null : this.store.advertisement(slot);
  }

  /** What the provider signed: undefined if there is no advertisement, null if it was not signed. */
  proof(providerId: string): Proof | null | undefined {
    return proofOf(this.store, providerId);
  }

  /** Whether an answer found at a version of the store is still current: see `ListReader.isCurrent`. */
  isListCurrent(query: ListQuery, found: FoundPage, version: number): boolean {
    return this.#lists.isCurrent(query, found, version);
  }

  /**
   * Makes a list in steps, each of at most some thousand rows: see `ListReader.read`.
   * @param known The rows found earlier for the same query.
   */
  *listInSteps(query: ListQuery, known?: FoundPage, checkLong?: () => void): Work<ListAnswer> {
    const { cursor } = this;
    const { body, found } = yield* this.#lists.read(query, known, checkLong);
    return { body, found, cursor };
  }

  /** The same, synchronously, for callers with nobody else to serve. */
  list(query: ListQuery): ListAnswer {
    const steps = this.listInSteps(query);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /** The earlier moments being read. */
  get moments(): Moments {
    return this.#state.moments;
  }

  // ---- sessions ---------------------------------------------------------------------------------------------

  /**
   * A session begins: the provider is live from now on, and all older tokens are void.
   * @param from The exact address it comes from; null if unknown.
   */
  attach(providerId: string, from: string | null = null): Attachment {
    this.heartbeat(providerId);
    return this.#sessions.begin(providerId, from);
  }

  /** Whether the provider has an open session. */
  isAttached(providerId: string): boolean {
    return this.#state.sessionOf(providerId) !== undefined;
  }

  /** Whether this is the provider's present session. */
  holds(providerId: string, token: SessionToken): boolean {
    return this.#sessions.holds(providerId, token);
  }

  /** A session ended. No effect if a newer one has taken over. */
  detach(providerId: string, token: SessionToken): void {
    if (this.#sessions.end(providerId, token)) this.#upkeep.touch(providerId);
  }

  /** Calls a listener when a session at another hub has taken over from one that was open here. */
  onTakenOver(listener: (providerId: string) => void): void {
    this.#onTakenOver.push(listener);
  }

  /** A sign of life from a provider. */
  heartbeat(providerId: string): void {
    const slot = this.store.find(providerId);
    if (slot !== undefined) {
      const lease = this.#leaseFrom(this.clock.steady());
      this.store.setLease(slot, lease);
      this.#upkeep.touch(providerId);
      this.identities.touch(providerId, lease.updatedAt);
      return;
    }
    // A write in progress writes the binding itself, and knows a newer one.
    if (this.#writing.has(providerId)) return;
    // Without an advertisement, only the binding has to be kept alive: once a day is enough for 30 days.
    const now = this.clock.steady();
    const identity = this.identities.get(providerId, now);
    if (identity === undefined || now - identity.seenAt < TOUCH_MS) return;
    this.identities.touch(providerId, now);
    // No need to wait: a failure shows as the log's problem, and the next attempt follows tomorrow.
    this.#log.propose({ kind: 'bind', identity: { ...identity, seenAt: now } }).catch(() => undefined);
  }

  // ---- writes -----------------------------------------------------------------------------------------------

  /** Marks a write as in progress, from before it is handed to the log until it has been applied or has failed. */
  beginWrite(providerId: string): void {
    this.#writing.add(providerId);
  }

  endWrite(providerId: string): void {
    this.#writing.delete(providerId);
  }

  // ---- time -------------------------------------------------------------------------------------------------

  /** Makes displayed times follow the wall clock, which somebody may have set. */
  followWall(): void {
    if (!this.clock.followWall()) return;
    this.store.shiftTimes(this.clock.shift);
    this.#upkeep.saveClock();
  }

  /** Whether what is known here is too old to show, for lack of contact with the shared store. */
  get isStale(): boolean {
    return this.#contact.isStale(this.#log);
  }

  /** Whether the other hubs consider this one dead: nobody may stay connected to it. */
  get isCutOff(): boolean {
    return this.#contact.isCutOff;
  }

  /** Calls back once a cursor's position is reached: at once, unless a hub that is ahead may have issued it. */
  whenReached(cursor: string, go: () => void): void {
    const { epoch, seq } = parseCursor(cursor) ?? { epoch: '', seq: 0 };
    if (!this.#log.isShared || epoch !== this.changes.epoch || this.changes.hasReached(seq)) go();
    else this.#contact.awaitPosition(seq, go);
  }

  /** Advances time: expires what is due, flushes heartbeats, cleans up. Called every `TICK_MS`. */
  tick(): void {
    this.clock.tick();
    this.followWall();
    this.#contact.tick(this.#log, this.#monotonic());
    this.#sessions.tick();
    this.store.wheel.advance(this.#countedNow, MAX_EXPIRIES_PER_TICK, (slot) => {
      const deadline = this.store.deadline(slot);
      if (deadline > this.#countedNow) this.store.wheel.schedule(slot, deadline);
      else if (this.#writing.has(this.store.ids[slot]!)) this.store.wheel.schedule(slot, this.#countedNow);
      else this.#expire(slot);
    });
    this.#upkeep.tick(this.clock.now);
  }

  /** Hands all heartbeats since the last time to the log. */
  flushHeartbeats(): void {
    this.#upkeep.flush();
  }

  #expire(slot: number): void {
    const providerId = this.store.ids[slot]!;
    this.#upkeep.expired(providerId);
    const seenAt = this.store.updatedAt(slot);
    this.#log.propose({ kind: 'expire', providerId, seenAt }).catch(() => undefined);
    if (this.store.find(providerId) === slot)
      this.store.wheel.schedule(slot, this.#countedNow + EXPIRY_RETRY_MS);
  }

  /** Service time minus the time without contact to the shared store, which counts towards no expiry. */
  get #countedNow(): number {
    return this.clock.now - this.#contact.lostMs;
  }

  /**
   * @param at Steady time.
   * @param countedMs How much of the lease has passed.
   */
  #leaseFrom(at: number, countedMs = 0): Lease {
    const { expiryMs } = this.#settings;
    return { updatedAt: at, expiresAt: at + expiryMs, deadline: this.#countedNow + expiryMs - countedMs };
  }
}
