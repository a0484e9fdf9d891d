/** Matches updates against many filters, in this process: through the registry and the hub of streams. */
import { CODECS } from '../../src/protocol/codec.js';
import { StreamHub } from '../../src/gateway/stream-hub.js';
import type { Subscriber } from '../../src/gateway/subscription.js';
import { type Filter, parseFilter } from '../../src/protocol/filter.js';
import { systemClock } from '../../src/registry/clock.js';
import { Registry } from '../../src/registry/registry.js';
import { COUNTRIES, providerAt, recordOf } from '../data/providers.js';
import { randomNumbers } from '../data/random.js';
import { serveCalls } from '../rpc.js';

export interface MatchingCalls {
  /** Makes providers, and a subscription to each of so many distinct filters. */
  prepare: (input: { filters: number; providers: number }) => null;
  /** Microseconds to match an update, on average over so many, and how many filters each matches. */
  match: (updates: number) => Promise<{ micros: number; matches: number }>;
}

/** Distinct filters as requestors have them; a smaller number are the first of a larger one. */
function filtersOf(count: number): Filter[] {
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
    filters.set(JSON.stringify(filter), filter);
  }
  return [...filters.values()];
}

/** A subscriber that takes everything and keeps nothing. */
class Sink implements Subscriber {
  readonly codec = CODECS.json;
  readonly writable = true;
  events = 0;

  send(): void {
    this.events += 1;
  }

  fallBehind(reason: string): void {
    throw new Error(`a subscriber fell behind: ${reason}`);
  }
}

/** Flushes happen between batches of this many, as they would between turns of the event loop. */
const BATCH = 50;

/** A registry, and subscriptions to what happens in it. */
class World {
  readonly #registry: Registry;
  readonly #sink = new Sink();
  readonly #providers: number;
  readonly #now = Date.now();
  #spent = 0;
  #round = 0;

  constructor(input: { filters: number; providers: number }) {
    const settings = { expiryMs: 300_000, restartGraceMs: 60_000, replayEvents: 65_536, cleanupMs: 60_000 };
    this.#registry = new Registry(settings, systemClock);
    this.#providers = input.providers;
    const hub = new StreamHub(this.#registry, {
      connectionClosed: () => undefined,
      resumeDecided: () => undefined,
      eventsSent: () => undefined,
    });
    for (let index = 0; index < input.providers; index += 1) this.#apply(index, null);
    for (const filter of filtersOf(input.filters)) hub.subscribe(this.#sink, 1, filter, null);
    const { onChange } = this.#registry;
    this.#registry.onChange = (change) => {
      const from = performance.now();
      onChange(change);
      this.#spent += performance.now() - from;
    };
  }

  async match(updates: number): Promise<{ micros: number; matches: number }> {
    this.#spent = 0;
    this.#sink.events = 0;
    this.#round += 1;
    for (let update = 0; update < updates; update += 1) {
      this.#apply(update % this.#providers, `update-${String(this.#round)}-${String(update)}`);
      // Only then do events go out, which is not part of the matching.
      if (update % BATCH === 0) await new Promise(setImmediate);
    }
    await new Promise(setImmediate);
    return { micros: (this.#spent / updates) * 1000, matches: this.#sink.events / updates };
  }

  #apply(index: number, name: string | null): void {
    const record = recordOf({ ...providerAt(index), name }, this.#now);
    this.#registry.applyAdvertise(record, null, false);
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
