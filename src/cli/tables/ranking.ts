import { type Amounts, type Change, comparePrices, type PublishedAdvertisement } from '../../client/node.js';
import type { SORTS } from '../../protocol/filters/list-query.js';

type Sort = (typeof SORTS)[number];
type Compare = (a: PublishedAdvertisement, b: PublishedAdvertisement) => number;

function comparison(sort: Sort | undefined, amounts: Amounts): Compare {
  const byId: Compare = (a, b) =>
    a.provider_id < b.provider_id ? -1 : a.provider_id > b.provider_id ? 1 : 0;
  switch (sort) {
    case 'price':
      return comparePrices(amounts, 'usd');
    case 'price_glm':
      return comparePrices(amounts, 'glm');
    case 'updated':
      return (a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at) || byId(a, b);
    case undefined:
      return byId;
  }
}

/** Watched providers, kept in order as they come, change and go. */
export class Ranking {
  /** The order. */
  readonly compare: Compare;
  readonly #sorted: PublishedAdvertisement[] = [];
  /** Each as of its place in the order; the watch may know of later heartbeats. */
  readonly #filed = new Map<string, PublishedAdvertisement>();

  constructor(sort: Sort | undefined, amounts: Amounts) {
    this.compare = comparison(sort, amounts);
  }

  get size(): number {
    return this.#sorted.length;
  }

  apply({ type, advertisement }: Change): void {
    const filed = this.#filed.get(advertisement.provider_id);
    if (filed !== undefined) {
      this.#sorted.splice(this.#placeOf(filed), 1);
      this.#filed.delete(filed.provider_id);
    }
    if (type === 'removed') return;
    this.#sorted.splice(this.#placeOf(advertisement), 0, advertisement);
    this.#filed.set(advertisement.provider_id, advertisement);
  }

  /** The first `count` providers. */
  first(count: number): PublishedAdvertisement[] {
    return this.#sorted.slice(0, count);
  }

  /** The index that a provider has, or would have. */
  #placeOf(advertisement: PublishedAdvertisement): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(this.#sorted[middle]!, advertisement) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
