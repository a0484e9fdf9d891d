import { randomSource } from '../support/random.js';
import { EXPIRY_MS, PREFIX, SimulatedHub, TICK_MS } from './hub.js';
import { Ends } from './ends.js';
import type { Mutant } from './mutants.js';
import type { Network } from './node.js';
import { SimulatedProvider, type Surroundings } from './provider.js';
import { Reference, Violation } from './reference.js';
import { Scheduler } from './scheduler.js';
import { Store } from './store.js';
import { SimulatedWatcher } from './watcher.js';

const HUBS = 3;
const PROVIDERS = 6;
const WATCHERS = 3;
const CHAOS_MS = 70_000;
/** Long enough for whoever is gone to leave: a lease, an expiry, and the retries of both. */
const CALM_MS = 80_000;
/** In the end nobody does anything more for so long. */
const REST_MS = 5000;
const STEP_MS = 500;
/** Until then the content of the store may get lost: whoever it brings back has to leave in time. */
const LOSSES_MS = 35_000;
/** How many revisions a backup lacks at least. */
const LOST_REVISIONS = 15;
/** After so long with the store a hub has noticed that it is not the one it followed. */
const NOTICE_MS = 10_000;
/** By so much an expiry may come early: hubs look at their deadlines only now and then. */
const EARLY_MS = 2500;

/** What happened in a run. */
export interface Outcome {
  revisions: number;
  expired: number;
  resumed: number;
  refused: number;
}

/**
 * Some hubs, providers and watchers over one store, for as long as many things go wrong and until all is calm again.
 * @throws Violation when something happens that must not. The same seed does the same again.
 */
export async function simulate(seed: number, mutant: Mutant = {}): Promise<Outcome> {
  return new World(seed, mutant).run();
}

/** The first numbers of like seeds are alike. */
function sourceOf(seed: number): () => number {
  const random = randomSource(seed);
  for (let skipped = 0; skipped < 8; skipped += 1) random();
  return random;
}

class World {
  readonly #random: () => number;
  /** Decides when content gets lost, apart from all else that goes wrong. */
  readonly #lossRandom: () => number;
  readonly #scheduler = new Scheduler();
  readonly #network: Network;
  readonly #reference: Reference;
  readonly #hubs: SimulatedHub[];
  readonly #providers: SimulatedProvider[];
  readonly #watchers: SimulatedWatcher[];
  #failure: Error | null = null;
  #isCalm = false;
  /** Whether its operator has not brought the hubs onto the store that is there now. */
  #isLost = false;
  #expired = 0;
  #numbers = 0;

  constructor(seed: number, mutant: Mutant) {
    const random = sourceOf(seed);
    this.#random = random;
    this.#lossRandom = sourceOf(-seed);
    this.#reference = new Reference(PREFIX, (providerId) => {
      this.#hasExpired(providerId);
    });
    const scheduler = this.#scheduler;
    const watches = new Set<() => void>();
    const store: Store = new Store(
      mutant.store ?? {},
      () => scheduler.now,
      (events) => {
        this.#attempt(() => {
          this.#reference.revision(store.revision, events);
        });
        for (const look of watches) look();
      },
    );
    this.#network = {
      scheduler,
      store,
      random,
      isUp: true,
      loss: 0.01,
      breaksRevisions: mutant.breaksRevisions ?? false,
      watches,
    };
    const fail = (violation: Error): void => {
      this.#failure ??= violation;
    };
    const ends = new Ends(2 * TICK_MS, fail);
    this.#hubs = Array.from({ length: HUBS }, (_, no) => new SimulatedHub(no, ends, this.#network, mutant));
    const surroundings: Surroundings = {
      now: () => scheduler.now,
      random,
      hubs: this.#hubs,
      reference: this.#reference,
      nextNumber: () => {
        this.#numbers += 1;
        return this.#numbers;
      },
      fail,
    };
    this.#providers = Array.from({ length: PROVIDERS }, (_, no) => new SimulatedProvider(no, surroundings));
    const covers = mutant.covers ?? ((changes, seq) => changes.covers(seq));
    this.#watchers = Array.from({ length: WATCHERS }, () => new SimulatedWatcher(covers));
  }

  async run(): Promise<Outcome> {
    const look = (): void => {
      if (this.#failure !== null) throw this.#failure;
      for (const hub of this.#hubs) this.#compare(hub);
    };
    const end = CHAOS_MS + CALM_MS;
    for (let now = 0; now < end; now += STEP_MS) {
      await this.#scheduler.run(now, look);
      this.#step();
      look();
    }
    await this.#scheduler.run(end + REST_MS, look);
    this.#checkEnd();
    for (const hub of this.#hubs) hub.crash();
    const sum = (name: 'resumed' | 'refused'): number =>
      this.#watchers.reduce((total, { counts }) => total + counts[name], 0);
    return {
      revisions: this.#network.store.revision,
      expired: this.#expired,
      resumed: sum('resumed'),
      refused: sum('refused'),
    };
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failure ??= error as Error;
    }
  }

  #step(): void {
    const { store } = this.#network;
    if (this.#scheduler.now < CHAOS_MS) this.#break();
    else if (!this.#isCalm) this.#calm();
    if (this.#network.isUp) store.tick();
    for (const hub of this.#hubs) hub.look();
    for (const provider of this.#providers) provider.tick();
    for (const watcher of this.#watchers) {
      const hub = this.#any(this.#hubs);
      if (this.#random() < 0.1 && hub.registry !== null && !hub.timers.isStalled)
        this.#attempt(() => {
          watcher.visit(hub);
        });
    }
  }

  #any<T>(all: readonly T[]): T {
    return all[Math.floor(this.#random() * all.length)]!;
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  /** Something goes wrong, perhaps. */
  #break(): void {
    const random = this.#random;
    const scheduler = this.#scheduler;
    const network = this.#network;
    const { store } = network;
    const hub = this.#any(this.#hubs);
    if (this.#chance(0.01) && !hub.timers.isDead) {
      hub.crash();
      scheduler.after(3000 + 30_000 * random(), () => {
        if (hub.timers.isDead && !this.#isLost) hub.boot();
      });
    }
    if (this.#chance(0.015) && !hub.line.isCut) {
      hub.line.isCut = true;
      scheduler.after(1000 + 25_000 * random(), () => {
        hub.line.isCut = false;
      });
    }
    if (this.#chance(0.015) && !hub.timers.isStalled)
      hub.timers.stalledUntil = Math.min(scheduler.now + 500 + 25_000 * random(), CHAOS_MS);
    if (this.#chance(0.006) && network.isUp) {
      network.isUp = false;
      scheduler.after(1000 + (this.#chance(0.2) ? 40_000 : 6000) * random(), () => {
        network.isUp = true;
        store.changeLeader();
      });
    }
    if (this.#lossRandom() < 0.006 && !this.#isLost && network.isUp && scheduler.now < LOSSES_MS)
      this.#lose();
    if (this.#chance(0.01)) store.changeLeader();
    if (this.#chance(0.01)) store.endLeaseWrongly(random());
    if (this.#chance(0.02)) store.compact(store.revision - Math.floor(30 * random()));
    if (this.#chance(0.06)) this.#any(this.#providers).toggle();
  }

  /** The content of the store is lost, or an older backup takes its place; the operator notices some time later. */
  #lose(): void {
    const random = this.#lossRandom;
    const { store, scheduler } = this.#network;
    // So far that it does not come past what a hub knows before that one looks, which nobody could notice.
    const known = this.#hubs.map(({ log }) => log?.position ?? store.revision);
    const back = Math.min(...known) - LOST_REVISIONS - Math.floor(10 * random());
    const isRolledBack = random() < 0.5 && store.rollBack(back);
    if (!isRolledBack) store.wipe();
    this.#reference.lost(store.content, store.revision);
    this.#isLost = true;
    // Without a mark on its disk, a hub that starts now could not tell.
    for (const hub of this.#hubs) if (hub.registry === null) hub.crash();
    scheduler.after(NOTICE_MS + 10_000 * random(), () => {
      for (const hub of this.#hubs) {
        if (hub.isTroubledSince(scheduler.now - NOTICE_MS) || hub.registry === null) continue;
        if (!/^(?:this etcd is not the store|etcd is at revision)/.test(hub.log?.problem ?? ''))
          this.#failure ??= new Violation(`${hub.name} follows a store that it does not know`);
      }
      for (const hub of this.#hubs) hub.crash();
      if (isRolledBack) store.renewEpoch(this.#reference.identity);
      this.#isLost = false;
      for (const hub of this.#hubs) hub.boot();
    });
  }

  /** From now on nothing goes wrong any more. */
  #calm(): void {
    this.#isCalm = true;
    this.#network.loss = 0;
    if (!this.#network.isUp) this.#network.store.changeLeader();
    this.#network.isUp = true;
    for (const hub of this.#hubs) {
      hub.line.isCut = false;
      if (hub.timers.isDead) hub.boot();
    }
  }

  /** Every hub at a revision is what the store says of it. */
  #compare(hub: SimulatedHub): void {
    const revision = hub.takeRevision();
    if (revision === null) return;
    const expected = this.#reference.at(hub.log!.epoch, revision);
    const { list } = hub;
    if (list !== expected)
      throw new Violation(`${hub.name} at ${revision} has ${list}, the store ${expected}`);
  }

  #hasExpired(providerId: string): void {
    this.#expired += 1;
    const provider = this.#providers.find(({ id }) => id === providerId)!;
    const silentMs = this.#scheduler.now - provider.heardAt;
    if (provider.wants && silentMs < EXPIRY_MS - EARLY_MS)
      throw new Violation(`${providerId} departs after ${Math.round(silentMs)} ms of silence`);
  }

  /** All is calm: whoever is there is seen, whoever is gone is not, and all hubs agree. */
  #checkEnd(): void {
    const { revision } = this.#network.store;
    for (const hub of this.#hubs) {
      if (hub.log === null || hub.log.position < revision) throw new Violation(`${hub.name} lags behind`);
      if (hub.list !== this.#reference.at(hub.log.epoch, revision))
        throw new Violation(`${hub.name} differs in the end`);
    }
    for (const [id, { session, advertisement }] of this.#reference.providers) {
      const provider = this.#providers.find((one) => one.id === id)!;
      if (session !== null && this.#reference.hubs.has(session.hub)) {
        const hub = this.#hubs.find(({ log }) => log?.hub === session.hub);
        if (hub?.sockets.get(id)?.token !== session.token)
          throw new Violation(`the session of ${id} has no socket`);
      }
      if (provider.isAttached && advertisement !== null && !this.#reference.hasSession(id))
        throw new Violation(`${id} is connected and shown as suspect`);
      if (!provider.wants && provider.leftAt < CHAOS_MS && advertisement !== null)
        throw new Violation(`${id} left long ago and is listed`);
      if (provider.wants && !provider.isAttached) throw new Violation(`${id} finds no hub`);
    }
  }
}
