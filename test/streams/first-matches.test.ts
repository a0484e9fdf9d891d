import test from 'node:test';
import { CONTENT } from '../support/data/contents.js';
import type { Content } from '../support/data/arbitraries.js';
import { StreamWorld } from '../support/worlds/stream-world.js';

/** One that is cheaper, the lower its number. */
const priced = (usd: number): Content => ({
  ...CONTENT,
  pricing: { usd_per_core_month: usd, usd_per_gb_ram_month: 0, usd_per_gb_storage_month: 0 },
});
const PROVIDERS = ['a', 'b', 'c', 'd', 'e', 'f'];
/** More event-loop iterations than a search takes here. */
const MOST_TURNS = 12;

test('matches that come while the first are being searched for anew are no reason to fail: a flush between had nothing to compare with', async () => {
  for (let before = 0; before < MOST_TURNS; before += 1) {
    for (let between = 0; between < MOST_TURNS; between += 1) {
      const limits = { workPerTurn: 1, leastSpare: 0 };
      const world = new StreamWorld({ limits });
      for (const [index, id] of PROVIDERS.entries()) world.advertise(id, priced(index + 2));
      await world.turn();
      world.connect('json').subscribe({}, null, { sort: 'price', limit: 1 });
      for (let turns = 0; turns < before; turns += 1) await world.turn();
      // So many of the first go that the search has to be repeated.
      for (const id of ['a', 'b', 'c']) world.withdraw(id);
      for (let turns = 0; turns < between; turns += 1) await world.turn();
      world.advertise('g', priced(1));
      await world.settle();
    }
  }
});
