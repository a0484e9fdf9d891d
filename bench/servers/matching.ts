/** Matches updates against many filters, in this process: through the registry and the hub of streams. */
import { CODECS } from '../../src/protocol/frames/codec.js';
import { StreamHub } from '../../src/streams/stream-hub.js';
import type { Subscriber, Subscription } from '../../src/streams/stream.js';
import { type Filter, parseFilter } from '../../src/protocol/filters/filter.js';
import { systemClock } from '../../src/lib/clock.js';
import { Predicate } from '../../src/registry/store/predicate.js';
import { LocalOrder } from '../../src/registry/local-order.js';
import { noLog } from '../../src/registry/log.js';
import { Registry } from '../../src/registry/registry.js';
import { COUNTRIES, providerAt, recordOf } from '../data/providers.js';
import { randomNumbers } from '../data/random.js';
import { serveCalls } from '../rpc.js';

export interface MatchingCalls {
  /**
   * Creates providers, and a subscription to each of a number of distinct filters.
   * @param input.telling How many filters may match the updated providers; null for all.
   */
  prepare: (input: { filters: number; providers: number; telling: number | null }) => null;
  /** Average microseconds to match an update, and how many filters each matches. */
  match: (updates: number) => Promise<{ micros: number; matches: number }>;
}

/** Distinct filters like those of requestors; all but the first few have to pass a test. */
function filtersOf(count: number, untested: number, test: (filter: Filter) => boolean): Filter[] {
  const random = randomNumbers(1);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const filters = new Map<string, Filter>();
  while (filters.size < count) {
    const filter = parseFilter({
      cpu: pick([4, 8, 16, 32, 48, 64]),
      memory: pick([16, 32, 64, 96, 128, 192, 256]),
      storage: pick([50, 100, 200, 250, 400, 500, 800, 1000, 2000]),
      country: pick(COUNTRIES),
      ...(random() < 0.5 ? { platform: pick(['x86_64', 'arm64']) } : {}),
      ...(random() < 0.3 ? { max_usd_per_month: Math.round(50 + random() * 400) } : {}),
    });
    if (filters.size < untested || test(filter)) filters.set(JSON.stringify(filter), filter);
  }
  return [...filters.values()];
}

/** A subscriber that discards everything. */
class Sink implements Subscriber {
  readonly codec = CODECS.json;
  readonly account = { work: 0 };
  readonly writable = true;
  events = 0;

  send(): void {
    this.events += 1;
  }

  fail(): void {
    throw new Error('the hub has failed');
  }

  fallBehind(reason: string): void {
    throw new Error(`a subscriber fell behind: ${reason}`);
  }
}

/** How many providers to update if most filters must not match them. */
const UPDATED = 200;
/** Flushes happen between batches of this many updates, as they would between event-loop iterations. */
const BATCH = 50;

/** A registry, and subscriptions to its changes. */
class World {
  readonly #registry: Registry;
  readonly #order = new LocalOrder();
  readonly #sink = new Sink();
  readonly #subscriptions: Subscription[] = [];
  /** How many providers are updated, the first ones. */
  readonly #updated: number;
  readonly #now = Date.now();
  #spent = 0;
  #round = 0;

  constructor({ filters, providers, telling }: Parameters<MatchingCalls['prepare']>[0]) {
    const settings = { expiryMs: 300_000, restartGraceMs: 60_000, replayEvents: 65_536, cleanupMs: 60_000 };
    this.#registry = new Registry(settings, systemClock);
    this.#registry.keepIn({
      ...noLog,
      deliverTo: (deliver) => {
        this.#order.deliverTo(deliver);
      },
    });
    this.#updated = telling === null ? providers : Math.min(UPDATED, providers);
    // Listeners are called in order: one before the hub and one after it time its matching.
    let began = 0;
    this.#registry.onChange(() => {
      began = performance.now();
    });
    const hub = new StreamHub(this.#registry, {
      resumeDecided: () => undefined,
      eventsSent: () => undefined,
    });
    for (let index = 0; index < providers; index += 1) this.#apply(index, null);
    const isSilent = (filter: Filter): boolean => !this.#matchesUpdated(filter);
    for (const filter of filtersOf(filters, telling ?? filters, isSilent)) {
      this.#subscriptions.push(hub.subscribe(this.#sink, 1, filter, null));
    }
    this.#registry.onChange(() => {
      this.#spent += performance.now() - began;
    });
  }

  async match(updates: number): Promise<{ micros: number; matches: number }> {
    // Their snapshots take turns, and do not count.
    while (this.#subscriptions.some(({ state }) => state !== 'live')) await new Promise(setImmediate);
    this.#spent = 0;
    this.#sink.events = 0;
    this.#round += 1;
    for (let update = 0; update < updates; update += 1) {
      this.#apply(update % this.#updated, `update-${String(this.#round)}-${String(update)}`);
      // Events go out only now, which does not count as matching.
      if (update % BATCH === 0) await new Promise(setImmediate);
    }
    await new Promise(setImmediate);
    return { micros: (this.#spent / updates) * 1000, matches: this.#sink.events / updates };
  }

  #matchesUpdated(filter: Filter): boolean {
    const { store } = this.#registry;
    const predicate = new Predicate(filter, store.numbers);
    for (let slot = 0; slot < this.#updated; slot += 1) {
      if (predicate.matches(store.attributes, slot)) return true;
    }
    return false;
  }

  #apply(index: number, name: string | null): void {
    const record = recordOf({ ...providerAt(index), name }, this.#now);
    this.#order.deliver({ kind: 'advertise', record, identity: null, overSession: false, origin: null });
  }
}

let world: World | undefined;

serveCalls<MatchingCalls>({
  prepare: (input) => {
    world = new World(input);
    return null;
  },
  match: (updates) => {
    if (world === undefined) throw new Error('it was not prepared');
    return world.match(updates);
  },
});
