import { COUNTRIES, type Provider, providerAt } from './providers.js';
import { randomNumbers } from './random.js';

/** A list request, in a form that is easy to test on plain objects. */
export interface Query {
  cpu: number;
  memory: number;
  storage: number;
  country: string | null;
  platform: string | null;
  maxUsd: number | null;
  sort: 'id' | 'price';
  limit: number | null;
}

/** The monthly price for the requested amounts; infinite without prices. */
function price(query: Query, { pricing }: Provider): number {
  if (pricing === null) return Number.POSITIVE_INFINITY;
  return (
    pricing['usd_per_core_month']! * Math.max(1, query.cpu) +
    pricing['usd_per_gb_ram_month']! * Math.max(1, query.memory) +
    pricing['usd_per_gb_storage_month']! * Math.max(1, query.storage)
  );
}

/** The protocol's definition of filters, taken literally. */
export function isMatch(query: Query, provider: Provider): boolean {
  return (
    provider.cpu >= query.cpu &&
    provider.memory >= query.memory &&
    provider.storage >= query.storage &&
    (query.country === null || provider.country === query.country) &&
    (query.platform === null || provider.platform === query.platform) &&
    (query.maxUsd === null || (provider.pricing !== null && price(query, provider) <= query.maxUsd))
  );
}

/** The path and query string of the request. */
export function pathOf({ cpu, memory, storage, country, platform, maxUsd, sort, limit }: Query): string {
  const parameters: string[] = [];
  if (cpu > 0) parameters.push(`cpu=${String(cpu)}`);
  if (memory > 0) parameters.push(`memory=${String(memory)}`);
  if (storage > 0) parameters.push(`storage=${String(storage)}`);
  if (country !== null) parameters.push(`country=${country}`);
  if (platform !== null) parameters.push(`platform=${platform}`);
  if (maxUsd !== null) parameters.push(`max_usd_per_month=${String(maxUsd)}`);
  if (sort !== 'id') parameters.push(`sort=${sort}`);
  if (limit !== null) parameters.push(`limit=${String(limit)}`);
  return `/api/v1/advertisements${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`;
}

/** The first rows of an answer, found by testing one provider after the other. */
export class ExpectedAnswer {
  readonly query: Query;
  #rows: { index: number; id: string; key: number }[] = [];

  constructor(query: Query) {
    this.query = query;
  }

  offer(index: number, provider: Provider): void {
    const { query } = this;
    if (!isMatch(query, provider)) return;
    const row = { index, id: provider.id, key: query.sort === 'price' ? price(query, provider) : 0 };
    const { limit } = query;
    if (limit !== null && this.#rows.length === limit && !isBefore(row, this.#rows[limit - 1]!)) return;
    let at = this.#rows.length;
    while (at > 0 && isBefore(row, this.#rows[at - 1]!)) at -= 1;
    this.#rows.splice(at, 0, row);
    if (limit !== null && this.#rows.length > limit) this.#rows.pop();
  }

  /** The numbers of the providers, in order. */
  get indexes(): number[] {
    return this.#rows.map(({ index }) => index);
  }
}

function isBefore(a: { key: number; id: string }, b: { key: number; id: string }): boolean {
  return a.key !== b.key ? a.key < b.key : a.id < b.id;
}

/** Parameters of a part's queries. */
export interface QueryKind {
  /** How many of the first 1,000 providers match each. */
  matches: readonly [least: number, most: number];
  sort: Query['sort'];
  limit: number | null;
  /** Whether to use only what the first generation knows. */
  plain?: boolean;
}

/** How many different queries take turns, so that answers can hardly be cached. */
export const QUERIES = 128;

/** The queries of a kind: different from each other, and the same in each run. */
export function queriesOf({ matches, sort, limit, plain = false }: QueryKind): Query[] {
  const providers = Array.from({ length: 1000 }, (_, index) => providerAt(index));
  const random = randomNumbers(matches[0] * 1000 + matches[1]);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const found = new Map<string, Query>();
  while (found.size < QUERIES) {
    const query: Query = {
      cpu: pick([0, 1, 2, 4, 8, 16, 32]),
      memory: pick([0, 2, 4, 8, 16, 32, 64]),
      storage: pick([0, 20, 50, 100, 200, 500]),
      country: random() < 0.7 ? pick(COUNTRIES) : null,
      platform: random() < 0.4 ? pick(['x86_64', 'arm64']) : null,
      maxUsd: !plain && random() < 0.3 ? pick([20, 50, 100, 200, 400]) : null,
      sort,
      limit,
    };
    const count = providers.reduce((sum, provider) => sum + (isMatch(query, provider) ? 1 : 0), 0);
    if (count >= matches[0] && count <= matches[1]) found.set(pathOf(query), query);
  }
  return [...found.values()];
}
