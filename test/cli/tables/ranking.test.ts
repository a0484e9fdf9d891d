import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ranking } from '../../../src/cli/tables/ranking.js';
import { type Change, monthlyEstimate, type PublishedAdvertisement } from '../../../src/client/node.js';
import { randomOf } from '../../support/random.js';

const AMOUNTS = { cpu: 2, memory: 1, storage: 1 };

test('a ranking is what sorting everything anew would give, also where heartbeats moved what it holds', (t) => {
  const random = randomOf(t);
  const pick = (count: number): number => Math.floor(random() * count);
  for (const sort of ['price', 'price_glm', 'updated', undefined] as const) {
    const ranking = new Ranking(sort, AMOUNTS);
    const model = new Map<string, PublishedAdvertisement>();
    const key = ({ pricing, updated_at }: PublishedAdvertisement): number => {
      if (sort === undefined) return 0;
      if (sort === 'updated') return -Date.parse(updated_at);
      return monthlyEstimate(pricing, AMOUNTS, sort === 'price' ? 'usd' : 'glm') ?? Infinity;
    };
    for (let step = 0; step < 400; step += 1) {
      const provider_id = `p${String(pick(30))}`;
      const pricing = Object.fromEntries(
        ['core', 'gb_ram', 'gb_storage'].flatMap((part) => [
          [`usd_per_${part}_month`, pick(3)],
          [`glm_per_${part}_month`, pick(3)],
        ]),
      );
      const advertisement = {
        provider_id,
        pricing: random() < 0.2 ? null : pricing,
        updated_at: new Date(pick(5) * 1000).toISOString(),
      } as PublishedAdvertisement;
      const removed = random() < 0.3;
      ranking.apply({ type: removed ? 'removed' : 'added', advertisement } as Change);
      if (removed) model.delete(provider_id);
      else model.set(provider_id, advertisement);
      const naive = [...model.values()].sort((a, b) =>
        key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.provider_id < b.provider_id ? -1 : 1,
      );
      assert.deepEqual(ranking.first(7), naive.slice(0, 7));
      assert.equal(ranking.size, model.size);
    }
  }
});
