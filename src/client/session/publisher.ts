import type { PublishedAdvertisement } from '../../protocol/advertisement.js';
import { Backoff } from '../connection/backoff.js';
import type { Scheduler } from '../scheduler.js';
import {
  type AdvertisementInput,
  type PreparedAdvertisement,
  prepareAdvertisement,
  saysTheSame,
} from '../content.js';
import { DiscoveryError } from '../errors.js';

/** An advertisement, or a function that is called for it on every connect and on `refresh()`. */
export type AdvertisementSource =
  AdvertisementInput | (() => AdvertisementInput | Promise<AdvertisementInput>);

/** What a publisher needs from its session. */
export interface PublisherPort {
  scheduler: Scheduler;
  random: () => number;
  /** Sends an advertisement; resolves with what the hub then shows. */
  advertise(text: string): Promise<PublishedAdvertisement>;
  withdraw(): Promise<void>;
  published(advertisement: PublishedAdvertisement): void;
  /** @param elsewhere Whether it was requested elsewhere. */
  withdrawn(elsewhere: boolean): void;
  /** The advertisement is invalid, and nothing was ever published: there is nothing left to do. */
  refused(error: DiscoveryError): void;
  problem(error: DiscoveryError): void;
}

type Wish = 'advertise' | 'withdraw';

interface Waiter {
  wish: Wish;
  resolve: (onFile: PublishedAdvertisement | null) => void;
  reject: (error: DiscoveryError) => void;
}

/**
 * Reconciles what the hub has on file with what the provider wants, whenever either changes, with one request at a time. Wishes outlive
 * connections, so a call without a connection is simply carried out later.
 */
export class Publisher {
  readonly #port: PublisherPort;
  readonly #backoff: Backoff;
  #source: AdvertisementSource;
  #wish: Wish = 'advertise';
  /** Whether the wish to withdraw came from elsewhere. */
  #elsewhere = false;
  /** What to advertise; null until a function has returned it. */
  #prepared: PreparedAdvertisement | null = null;
  #mustAsk = false;
  /** Counts calls of the source: only the last result matters. */
  #question = 0;
  #asking = false;

  #connected = false;
  #onFile: PublishedAdvertisement | null = null;
  /** What the hub accepted over this connection. */
  #accepted: PreparedAdvertisement | null = null;
  /** What it refused, and why; not sent again until something changes. */
  #refused: { what: PreparedAdvertisement | null; error: DiscoveryError } | null = null;
  /** Whether the present state has been reported. */
  #told = false;
  /** Whether anything has ever been published by this session. */
  #hasPublished = false;
  #working = false;
  #requesting = false;
  #paused = false;
  #cancelRetry: () => void = () => undefined;
  #waiters: Waiter[] = [];
  #over: DiscoveryError | null = null;

  /** @throws DiscoveryError `ADV_001` or `ADV_002` for an invalid advertisement. */
  constructor(source: AdvertisementSource, port: PublisherPort) {
    this.#port = port;
    this.#backoff = new Backoff(port.random);
    this.#source = source;
    if (typeof source !== 'function') this.#prepared = prepareAdvertisement(source);
  }

  /** What the hub last showed. */
  get onFile(): PublishedAdvertisement | null {
    return this.#onFile;
  }

  // ---- what the provider wants ------------------------------------------------------------------------------

  async published(): Promise<PublishedAdvertisement> {
    return (await this.#settled('advertise'))!;
  }

  update(source: AdvertisementSource): Promise<PublishedAdvertisement> {
    try {
      if (typeof source !== 'function') this.#prepared = prepareAdvertisement(source);
    } catch (error) {
      return Promise.reject(DiscoveryError.from(error, 'ADV_001'));
    }
    this.#source = source;
    this.#question += 1;
    this.#asking = false;
    return this.refresh();
  }

  refresh(): Promise<PublishedAdvertisement> {
    this.#mustAsk = typeof this.#source === 'function';
    this.#want('advertise');
    const published = this.published();
    this.#work();
    return handled(published);
  }

  withdraw(): Promise<void> {
    this.#want('withdraw');
    const withdrawn = this.#settled('withdraw').then(() => undefined);
    this.#work();
    return handled(withdrawn);
  }

  // ---- what happens to the connection -----------------------------------------------------------------------

  /** @param onFile The provider's advertisement on the hub. */
  connected(onFile: PublishedAdvertisement | null): void {
    this.#connected = true;
    this.#onFile = onFile;
    this.#accepted = null;
    this.#mustAsk = typeof this.#source === 'function';
    this.#proceed();
    this.#work();
  }

  disconnected(): void {
    this.#connected = false;
    this.#proceed();
  }

  /**
   * The provider withdrew by other means, and so wants it that way: nothing is published until `update()` or `refresh()`.
   */
  withdrawnElsewhere(): void {
    if (this.#wish === 'withdraw') return;
    this.#want('withdraw', 'the advertisement was withdrawn elsewhere, with the same key');
    this.#elsewhere = true;
    this.#onFile = null;
    this.#accepted = null;
    this.#work();
  }

  /** Nothing will be published any more. */
  ended(reason: DiscoveryError): void {
    this.#over = reason;
    this.disconnected();
    this.#reject(() => true, reason);
  }

  // ---- bringing the two together ----------------------------------------------------------------------------

  #want(wish: Wish, why = `a later call asked to ${wish}`): void {
    this.#refused = null;
    if (this.#wish === wish) return;
    this.#wish = wish;
    this.#elsewhere = false;
    this.#told = false;
    const error = new DiscoveryError('SUPERSEDED', why);
    this.#reject((waiter) => waiter.wish !== wish, error);
  }

  #isSettled(wish: Wish): boolean {
    // While a request is in flight, what the hub has on file is unknown.
    if (!this.#connected || this.#requesting || this.#wish !== wish) return false;
    if (wish === 'withdraw') return this.#onFile === null;
    if (this.#mustAsk || this.#asking || this.#prepared === null || this.#onFile === null) return false;
    if (this.#accepted === this.#prepared) return true;
    return this.#onFile.verified && saysTheSame(this.#prepared.content, this.#onFile);
  }

  /** Resolves once the wish is fulfilled, with what the hub then shows. */
  #settled(wish: Wish): Promise<PublishedAdvertisement | null> {
    if (this.#over !== null) return Promise.reject(this.#over);
    if (this.#isSettled(wish)) return Promise.resolve(this.#onFile);
    if (this.#wish === wish && this.#isRefused()) return Promise.reject(this.#refused!.error);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ wish, resolve, reject });
    });
  }

  /** Takes the next step, if any. May be called at any time. */
  #work(): void {
    if (this.#connected && this.#wish === 'advertise' && this.#mustAsk) void this.#askSource();
    if (this.#working) return;
    this.#working = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    while (this.#hasWork()) {
      this.#requesting = true;
      await (this.#wish === 'withdraw' ? this.#withdrawNow() : this.#advertiseNow());
      this.#requesting = false;
    }
    // Must directly follow the last check.
    this.#working = false;
    this.#tell();
  }

  #hasWork(): boolean {
    if (!this.#connected || this.#paused || this.#isRefused() || this.#isSettled(this.#wish)) return false;
    return this.#wish === 'withdraw' || (!this.#mustAsk && !this.#asking && this.#prepared !== null);
  }

  async #askSource(): Promise<void> {
    const source = this.#source;
    if (typeof source !== 'function') return;
    this.#question += 1;
    const question = this.#question;
    this.#mustAsk = false;
    this.#asking = true;
    try {
      const prepared = prepareAdvertisement(await source());
      if (question === this.#question) this.#prepared = prepared;
    } catch (cause) {
      if (question !== this.#question) return;
      const error = DiscoveryError.from(cause, 'SOURCE');
      if (this.#isHopeless(error)) {
        this.#port.refused(error);
        return;
      }
      // The function may succeed next time; until then, the previous advertisement stays.
      this.#report(error);
      this.#retryLater();
    }
    if (question !== this.#question) return;
    this.#asking = false;
    this.#work();
  }

  async #advertiseNow(): Promise<void> {
    const prepared = this.#prepared!;
    try {
      this.#onFile = await this.#port.advertise(prepared.text);
      this.#accepted = prepared;
      this.#told = false;
    } catch (error) {
      this.#failed(prepared, error as DiscoveryError);
    }
  }

  async #withdrawNow(): Promise<void> {
    try {
      await this.#port.withdraw();
    } catch (error) {
      if ((error as DiscoveryError).code !== 'ADV_004') {
        this.#failed(null, error as DiscoveryError);
        return;
      }
    }
    this.#onFile = null;
    this.#accepted = null;
  }

  #failed(what: PreparedAdvertisement | null, error: DiscoveryError): void {
    // If the connection was lost, the next one sorts everything out.
    if (!this.#connected) return;
    if (error.retry) {
      this.#paused = true;
      this.#port.problem(error);
      this.#retryLater(error.retryAfterSeconds ?? 0);
    } else if (what !== null && this.#isHopeless(error)) {
      this.#port.refused(error);
    } else {
      this.#refused = { what, error };
      this.#report(error);
    }
  }

  /**
   * Whether the session would be live for ever without being advertised. An earlier advertisement would stay, and a user who declined to sign
   * may do so later.
   */
  #isHopeless(error: DiscoveryError): boolean {
    return !error.retry && !this.#hasPublished && error.code !== 'KEY';
  }

  #isRefused(): boolean {
    return this.#refused?.what === (this.#wish === 'withdraw' ? null : this.#prepared);
  }

  #retryLater(atLeastSeconds = 0): void {
    this.#cancelRetry();
    if (!this.#connected) return;
    this.#cancelRetry = this.#port.scheduler.after(this.#backoff.next(atLeastSeconds * 1000), () => {
      this.#mustAsk = typeof this.#source === 'function';
      this.#proceed();
      this.#work();
    });
  }

  #proceed(): void {
    this.#cancelRetry();
    this.#cancelRetry = () => undefined;
    this.#paused = false;
    this.#refused = null;
    this.#told = false;
  }

  /** Reports a problem, also to callers waiting for the present wish. */
  #report(error: DiscoveryError): void {
    this.#reject((waiter) => waiter.wish === this.#wish, error);
    this.#port.problem(error);
  }

  #reject(which: (waiter: Waiter) => boolean, error: DiscoveryError): void {
    for (const waiter of this.#take(which)) waiter.reject(error);
  }

  #take(which: (waiter: Waiter) => boolean): Waiter[] {
    const taken = this.#waiters.filter(which);
    this.#waiters = this.#waiters.filter((waiter) => !which(waiter));
    return taken;
  }

  #tell(): void {
    if (!this.#isSettled(this.#wish)) return;
    const satisfied = this.#take((waiter) => waiter.wish === this.#wish);
    for (const waiter of satisfied) waiter.resolve(this.#onFile);
    if (this.#told) return;
    this.#told = true;
    this.#backoff.reset();
    if (this.#wish === 'withdraw') {
      this.#port.withdrawn(this.#elsewhere);
    } else {
      this.#hasPublished = true;
      this.#port.published(this.#onFile!);
    }
  }
}

/** Lets callers ignore a promise, because failures are also reported as problems or states. */
function handled<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}
