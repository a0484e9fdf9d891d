/** Follows updates of prices with streams of the first matches, or of all, in this process: from the entry to the encoded frame. */
import { CODECS } from '../../src/protocol/frames/codec.js';
import { StreamHub } from '../../src/streams/stream-hub.js';
import type { Subscriber, Subscription } from '../../src/streams/stream.js';
import { parseFilter } from '../../src/protocol/filters/filter.js';
import { systemClock } from '../../src/lib/clock.js';
import { LocalOrder } from '../../src/registry/local-order.js';
import { noLog } from '../../src/registry/log.js';
import { Registry } from '../../src/registry/registry.js';
import { COUNTRIES, providerAt, recordOf } from '../data/providers.js';
import { randomNumbers } from '../data/random.js';
import { serveCalls } from '../rpc.js';

export interface FirstMatchesCalls {
  /**
   * Creates providers, and a subscription to each of a number of distinct filters.
   * @param input.limit How many of the cheapest matches each follows; null: all matches.
   */
  prepare: (input: { filters: number; providers: number; limit: number | null }) => null;
  /** Average CPU microseconds per update, each flushed before the next, and events sent per update. */
  follow: (updates: number) => Promise<{ micros: number; events: number }>;
}

/** A subscriber that discards everything. */
class Sink implements Subscriber {
  readonly codec = CODECS.json;
  readonly account = { work: 0 };
  readonly writable = true;
  frames = 0;

  send(): void {
    this.frames += 1;
  }

  fail(): void {
    throw new Error('the hub has failed');
  }

  fallBehind(reason: string): void {
    throw new Error(`a subscriber fell behind: ${reason}`);
  }
}

const SETTINGS = { expiryMs: 300_000, restartGraceMs: 60_000, replayEvents: 65_536, cleanupMs: 60_000 };

class World {
  readonly #registry = new Registry(SETTINGS, systemClock);
  readonly #order = new LocalOrder();
  readonly #hub: StreamHub;
  readonly #sink = new Sink();
  readonly #subscriptions: Subscription[] = [];
  readonly #providers: number;
  readonly #now = Date.now();
  readonly #random = randomNumbers(2);

  constructor({ filters, providers, limit }: Parameters<FirstMatchesCalls['prepare']>[0]) {
    this.#registry.keepIn({
      ...noLog,
      deliverTo: (deliver) => {
        this.#order.deliverTo(deliver);
      },
    });
    const observer = { resumeDecided: () => undefined, eventsSent: () => undefined };
    this.#hub = new StreamHub(this.#registry, observer);
    this.#providers = providers;
    for (let index = 0; index < providers; index += 1) this.#advertise(index, 1);
    const first = limit === null ? null : ({ sort: 'price', limit } as const);
    const random = randomNumbers(1);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
    const seen = new Set<string>();
    while (seen.size < filters) {
      const filter = parseFilter({
        cpu: pick([1, 2, 4, 8, 16]),
        memory: pick([2, 4, 8, 16, 32]),
        storage: pick([20, 40, 50, 80, 100, 200]),
        ...(random() < 0.5 ? { country: [pick(COUNTRIES), pick(COUNTRIES)] } : {}),
      });
      const key = JSON.stringify(filter);
      if (seen.has(key)) continue;
      seen.add(key);
      this.#subscriptions.push(this.#hub.subscribe(this.#sink, 1, filter, null, { first }));
    }
  }

  async follow(updates: number): Promise<{ micros: number; events: number }> {
    await this.#settle();
    this.#sink.frames = 0;
    const began = process.cpuUsage();
    for (let update = 0; update < updates; update += 1) {
      const index = Math.floor(this.#random() * this.#providers);
      this.#advertise(index, 0.5 + this.#random());
      await new Promise(setImmediate);
    }
    await this.#settle();
    const { user, system } = process.cpuUsage(began);
    return { micros: (user + system) / updates, events: this.#sink.frames / updates };
  }

  async #settle(): Promise<void> {
    while (!this.#subscriptions.every((subscription) => this.#hub.isCurrent(subscription)))
      await new Promise(setImmediate);
  }

  /** @param factor What its usual prices are multiplied by. */
  #advertise(index: number, factor: number): void {
    const provider = providerAt(index);
    const prices = Object.entries(provider.pricing ?? {}).map(([name, price]) => [name, price * factor]);
    const pricing = provider.pricing === null ? null : (Object.fromEntries(prices) as Record<string, number>);
    const record = recordOf({ ...provider, pricing }, this.#now);
    this.#order.deliver({ kind: 'advertise', record, identity: null, overSession: false, origin: null });
  }
}

let world: World | undefined;

serveCalls<FirstMatchesCalls>({
  prepare: (input) => {
    world = new World(input);
    return null;
  },
  follow: (updates) => {
    if (world === undefined) throw new Error('it was not prepared');
    return world.follow(updates);
  },
});
