import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  assertError,
  Line,
  LIST,
  onBothTransports,
  type PublishedAdvertisement,
} from '../../support/clients/http.js';
import { LIMITS } from '../../../src/protocol/limits.js';
import { TestKey } from '../../support/data/keys.js';
import { naiveList, populate, type Query, queryString } from '../../support/data/providers.js';
import { ADVERTISEMENT } from '../../support/hubs/test-hub.js';

/** Links are relative, so any will do. */
const ORIGIN = 'http://hub.test';

interface Page {
  advertisements: PublishedAdvertisement[];
  /** The path of the next page; null on the last. */
  next: string | null;
}

async function readPage(line: Line, path: string): Promise<Page> {
  const answer = await line.get<PublishedAdvertisement[]>(path);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const link = answer.headers.get('link');
  if (link === null) return { advertisements: answer.body, next: null };
  const target = /^<([^>]+)>; rel="next"$/.exec(link)?.[1];
  assert.ok(target !== undefined, link);
  const { pathname, search, origin } = new URL(target, ORIGIN + path);
  assert.equal(origin, ORIGIN);
  assert.equal(pathname, LIST);
  return { advertisements: answer.body, next: pathname + search };
}

/** Follows the links to the end. */
async function walk(line: Line, path: string): Promise<PublishedAdvertisement[][]> {
  const pages: PublishedAdvertisement[][] = [];
  for (let next: string | null = path; next !== null;) {
    const page: Page = await readPage(line, next);
    pages.push(page.advertisements);
    next = page.next;
    assert.ok(pages.length <= 1000, 'the walk ends');
  }
  return pages;
}

const withLimit = (query: Query, limit: number): string => {
  const written = queryString(query);
  return `${LIST}${written}${written === '' ? '?' : '&'}limit=${String(limit)}`;
};

onBothTransports('pages of the list', {}, (hub) => {
  const line = new Line(hub);
  const COUNT = 150;
  const SORTS = [undefined, 'price', 'updated'] as const;
  let all: PublishedAdvertisement[] = [];
  before(async () => {
    all = await populate(hub(), COUNT, 10);
  });

  test('a walk by the links is the whole list, in order and without repetition', async () => {
    for (const sort of SORTS) {
      const expected = naiveList(all, { sort });
      for (const limit of [7, 64, COUNT - 1, COUNT, COUNT + 1, 1000]) {
        const pages = await walk(line, withLimit({ sort }, limit));
        assert.deepEqual(pages.flat(), expected, `${sort ?? 'id'} ${String(limit)}`);
        assert.equal(pages.length, Math.ceil(COUNT / limit));
        assert.ok(pages.slice(0, -1).every((page) => page.length === limit));
      }
    }
  });

  test('so is a walk in pages of one', async () => {
    for (const sort of SORTS) {
      const query: Query = { sort, cpu: 8 };
      const pages = await walk(line, withLimit(query, 1));
      assert.deepEqual(pages.flat(), naiveList(all, query));
    }
  });

  test('the links keep every filter, as it was meant', async () => {
    const queries: Query[] = [
      { cpu: 2, country: ['SE', 'NO', 'US'] },
      { platform: ['riscv 64+', 'å/∂&=?#%', 'x86_64'], sort: 'price' },
      { max_usd_per_month: 20, memory: 2, payments_network: ['polygon', 'holesky'], sort: 'price' },
      { status: 'live', storage: 2, sort: 'updated' },
    ];
    for (const query of queries) {
      const expected = naiveList(all, query);
      assert.ok(expected.length > 10, 'more than one page');
      assert.deepEqual((await walk(line, withLimit(query, 5))).flat(), expected, queryString(query));
    }
  });

  test('the link of the longest query is no longer than a client takes of a header', async () => {
    const query = `limit=5&platform=x86_64${`&platform=${'~'.repeat(32)}`.repeat(190)}`;
    assert.ok(query.length > 7900 && query.length <= LIMITS.maxQueryBytes);
    const { next } = await readPage(line, `${LIST}?${query}`);
    assert.ok(next !== null);
    assert.ok(next.startsWith(`${LIST}?${query}&after=`));
    const second = await readPage(line, next);
    assert.equal(second.next?.match(/(?:^|[?&])after=/g)?.length, 1);
  });

  test('without a limit there are all matches and no link', async () => {
    for (const sort of SORTS) {
      const page = await readPage(line, `${LIST}${queryString({ sort })}`);
      assert.equal(page.advertisements.length, COUNT);
      assert.equal(page.next, null);
    }
  });

  test('a cursor without a limit gives all that is left', async () => {
    for (const sort of SORTS) {
      const first = await readPage(line, withLimit({ sort }, 30));
      const after = new URL(first.next!, ORIGIN).searchParams.get('after')!;
      const written = queryString({ sort });
      const rest = await readPage(line, `${LIST}${written}${written === '' ? '?' : '&'}after=${after}`);
      assert.deepEqual([...first.advertisements, ...rest.advertisements], naiveList(all, { sort }));
      assert.equal(rest.next, null);
    }
  });

  test('the cursor is a plain word, which needs no encoding', async () => {
    for (const sort of SORTS) {
      const { next } = await readPage(line, withLimit({ sort }, 1));
      assert.match(next ?? '', /[?&]after=[A-Za-z0-9_-]+(?:&|$)/);
    }
  });

  test('a cursor that is none, or of another sort, is refused by its name', async () => {
    const cursors: string[] = [];
    for (const sort of SORTS) {
      const { next } = await readPage(line, withLimit({ sort }, 3));
      cursors.push(new URL(next!, ORIGIN).searchParams.get('after')!);
    }
    const [byId, byPrice, byUpdate] = cursors as [string, string, string];
    const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const refused: Record<string, readonly string[]> = {
      '?': [
        byPrice,
        byUpdate,
        '',
        'x',
        'nonsense',
        '%00',
        '....',
        byId.slice(0, -3),
        `${byId}AAAA`,
        encoded(null),
        encoded({}),
        encoded([]),
        encoded(['id']),
        encoded(['id', 'x', 'p1']),
        encoded(['id', null, 1]),
        encoded(['id', null, 'p1', 'more']),
        encoded(['other', null, 'p1']),
        'A'.repeat(2000),
      ],
      '?sort=price&': [byId, byUpdate, encoded(['price', '1', 'p1']), encoded(['price', {}, 'p1'])],
      '?sort=updated&': [byId, byPrice],
    };
    for (const [query, texts] of Object.entries(refused)) {
      for (const text of texts) {
        assertError(await line.get(`${LIST}${query}after=${text}`), 400, 'ADV_002', /\bafter\b/);
      }
    }
  });
});

onBothTransports('pages of a list that changes', {}, (hub) => {
  const line = new Line(hub);

  test('a walk goes on where it was, although its last provider has gone and others have come', async () => {
    const key = new TestKey();
    for (const id of ['b', 'd', 'f', 'h', 'j']) await hub().post(key, id);
    const first = await readPage(line, `${LIST}?limit=2`);
    assert.deepEqual(
      first.advertisements.map(({ provider_id }) => provider_id),
      ['b', 'd'],
    );
    await hub().delete(key, 'd');
    await hub().delete(key, 'f');
    for (const id of ['a', 'c', 'e']) await hub().post(key, id);
    const rest = (await walk(line, first.next!)).flat();
    assert.deepEqual(
      rest.map(({ provider_id }) => provider_id),
      ['e', 'h', 'j'],
    );
  });

  test('a walk by price goes on behind the price where it was', async () => {
    const key = new TestKey();
    const priced = (price: number): object => ({
      ...ADVERTISEMENT,
      country: 'JP',
      pricing: { usd_per_core_month: price, usd_per_gb_ram_month: 0, usd_per_gb_storage_month: 0 },
    });
    for (const price of [1, 2, 3, 4, 5]) await hub().post(key, `price-${String(price)}`, priced(price));
    await hub().post(key, 'price-none', { ...ADVERTISEMENT, country: 'JP' });
    const first = await readPage(line, `${LIST}?country=JP&sort=price&limit=2`);
    await hub().post(key, 'price-2', priced(9));
    await hub().post(key, 'price-4', priced(0.5));
    const rest = (await walk(line, first.next!)).flat();
    assert.deepEqual(
      rest.map(({ provider_id }) => provider_id),
      ['price-3', 'price-5', 'price-2', 'price-none'],
    );
  });
});
