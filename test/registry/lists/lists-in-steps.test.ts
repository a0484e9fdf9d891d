import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { scaled } from '../../support/scale.js';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import type { Filter } from '../../../src/protocol/filters/filter.js';
import { type ListQuery, parseListQuery, type SortOrder } from '../../../src/protocol/filters/list-query.js';
import type { ListAnswer, Registry } from '../../../src/registry/registry.js';
import { LongList } from '../../../src/registry/lists/long-list.js';
import { type Content, content, filter, recordOf } from '../../support/data/arbitraries.js';
import { advertised, withdrawn } from '../../support/data/entries.js';
import { FakeClock } from '../../support/fake-clock.js';
import { LoggedRegistry } from '../../support/worlds/logged-registry.js';
import { list } from '../../support/worlds/naive.js';
import { rounds } from '../../support/rounds.js';
import { randomOf } from '../../support/random.js';
import { comparable, RegistryWorld } from '../../support/worlds/registry-world.js';

const ROWS = 9000;
/** No step may look at more: a chunk or two above what it is meant to. */
const MOST_IN_A_STEP = 8192 + 1024;

function contentOf(number: number, changes: Partial<Content> = {}): Content {
  const price = 1 + (number % 7);
  return {
    ipAddress: '203.0.113.7',
    country: number % 3 === 0 ? 'SE' : 'NO',
    resources: { cpu: 1 + (number % 64), memory: 8, storage: 40 },
    platform: 'x86_64',
    pricing:
      number % 11 === 0
        ? null
        : { usd_per_core_month: price, usd_per_gb_ram_month: 1, usd_per_gb_storage_month: 0 },
    name: null,
    paymentsNetwork: null,
    attributes: null,
    endpoint: null,
    ...changes,
  };
}

const idOf = (number: number): string => `p${String((number * 7919) % ROWS).padStart(5, '0')}`;

const SETTINGS = { expiryMs: 600_000, restartGraceMs: 1000, replayEvents: 100_000, cleanupMs: 1000 };

/** A registry of its own, without a model beside it, which would take most of the time that it takes to fill it. */
function registryOf(changes: Partial<Content> = {}): LoggedRegistry {
  const registry = new LoggedRegistry(SETTINGS, new FakeClock());
  for (let number = 0; number < ROWS; number += 1)
    advertise(registry, idOf(number), contentOf(number, changes));
  return registry;
}

function advertise(registry: LoggedRegistry, id: string, from: Content): void {
  registry.propose(advertised(recordOf(id, from), null, false));
}

/** Makes a list; something happens between its steps. @returns It, and how much work each step was. */
function make(
  registry: Registry,
  query: ListQuery,
  meanwhile: () => void = () => undefined,
): { answer: ListAnswer; work: number[] } {
  const steps = registry.listInSteps(query);
  const work: number[] = [];
  for (;;) {
    const step = steps.next();
    if (step.done === true) return { answer: step.value, work };
    work.push(step.value);
    meanwhile();
  }
}

function read({ body }: ListAnswer, meanwhile: () => void = () => undefined): PublishedAdvertisement[] {
  if (!(body instanceof LongList)) return parse(body);
  const parts: Uint8Array[] = [];
  for (let part = body.next(); part !== null; part = body.next()) {
    parts.push(part);
    meanwhile();
  }
  body.close();
  const whole = Buffer.concat(parts);
  assert.equal(whole.length, body.bytes);
  return parse(whole);
}

function parse(json: Uint8Array | LongList): PublishedAdvertisement[] {
  assert.ok(json instanceof Uint8Array);
  return JSON.parse(Buffer.from(json).toString('utf8')) as PublishedAdvertisement[];
}

/** What a naive filter and sort say. */
function expected({ store }: Registry, asked: Filter, sort: SortOrder): PublishedAdvertisement[] {
  const all = store.ids.flatMap((id, slot) => (id === undefined ? [] : [store.advertisement(slot)]));
  return list(all, asked, sort);
}

/** Compares lists up to what heartbeats change. */
function assertSame(
  actual: readonly PublishedAdvertisement[],
  wanted: readonly PublishedAdvertisement[],
  message?: string,
): void {
  assert.deepEqual(actual.map(comparable), wanted.map(comparable), message);
}

const QUERIES = [
  '',
  'limit=20',
  'limit=1000&country=SE',
  'cpu=60',
  'cpu=64&limit=200',
  'sort=price',
  'sort=price&limit=20',
  'sort=price&limit=1000',
  'sort=price&cpu=64&country=SE&limit=50',
  'sort=price&max_usd_per_month=10',
  'sort=updated',
  'sort=updated&limit=20',
  'platform=arm64&sort=updated&limit=20',
];

test('a list that is made in steps is that of its first one, whatever changes in between', (t) => {
  const random = randomOf(t);
  const below = (limit: number): number => Math.floor(random() * limit);
  const world = new RegistryWorld(SETTINGS);
  for (let number = 0; number < ROWS; number += 1) world.advertise(idOf(number), contentOf(number));
  const change = (): void => {
    for (let count = below(40); count > 0; count -= 1) {
      const number = below(ROWS);
      const what = below(6);
      if (what === 0) world.withdraw(idOf(number));
      else if (what === 1) world.advertise(`new-${String(below(500))}`, contentOf(number));
      else if (what === 2)
        world.advertise(
          idOf(number),
          contentOf(below(ROWS), { platform: below(2) === 0 ? 'arm64' : 'x86_64' }),
        );
      else if (what === 3) world.heartbeat(idOf(number));
      else if (what === 4 && !world.isAttached(idOf(number))) world.attach(idOf(number));
      else world.detach(idOf(number));
    }
  };
  for (let round = 0; round < rounds(1); round += 1) {
    for (const search of QUERIES) {
      change();
      let query = parseListQuery(search);
      const all = expected(world.registry, query.filter, query.sort);
      const { limit } = query;
      const { cursor } = world.registry;
      const { answer } = make(world.registry, query, change);
      assertSame(read(answer, change), limit === null ? all : all.slice(0, limit), search);
      assert.equal(answer.cursor, cursor);
      assert.equal(answer.found.next === null, limit === null || all.length <= limit);
      if (answer.found.next === null) continue;
      // The next page, from the middle, as of now.
      query = parseListQuery(`${search}&after=${answer.found.next}`);
      const again = expected(world.registry, query.filter, query.sort);
      const page = read(make(world.registry, query, change).answer, change);
      const start = again.findIndex((row) => row.provider_id === page[0]?.provider_id);
      assertSame(page, again.slice(start, start + page.length), search);
    }
  }
});

test('with few rows, all that can change does', () => {
  const row = fc.record({ id: fc.nat(30), content });
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 30 }),
      fc.array(row, { maxLength: 20 }),
      filter,
      fc.constantFrom<SortOrder>('id', 'price', 'updated'),
      fc.constantFrom(null, 1, 3, 8),
      (before, later, asked, sort, limit) => {
        const world = new RegistryWorld({ expiryMs: 600_000 });
        for (const { id, content: one } of before) {
          world.advertise(`p${String(id)}`, one);
          world.pass(1);
        }
        const all = expected(world.registry, asked, sort);
        const { answer } = make(world.registry, { filter: asked, sort, limit, after: null }, () => {
          for (const { id, content: one } of later.splice(0, 4)) {
            if (world.isPresent(`p${String(id)}`) && id % 2 === 0) world.withdraw(`p${String(id)}`);
            else world.advertise(`p${String(id)}`, one);
          }
        });
        assertSame(read(answer), all.slice(0, limit ?? all.length));
      },
    ),
    { numRuns: scaled(120, 1000) },
  );
});

test('no step looks at more than some thousand rows, whatever is asked: one list of all held up everybody', () => {
  for (const registry of [registryOf(), registryOf({ pricing: contentOf(1).pricing })]) {
    for (const search of QUERIES) {
      const { answer, work } = make(registry, parseListQuery(search));
      if (answer.body instanceof LongList) answer.body.close();
      assert.ok(Math.max(...work) <= MOST_IN_A_STEP, `${search}: ${String(Math.max(...work))}`);
    }
  }
});

test('no step merges more than some thousand rows into a list: the changes during one of a million stopped the hub for 75 ms', () => {
  const rows = 2 * MOST_IN_A_STEP;
  const id = (number: number): string => `q${String(number).padStart(6, '0')}`;
  for (const search of ['', 'sort=price']) {
    const registry = new LoggedRegistry(SETTINGS, new FakeClock());
    for (let number = 0; number < rows; number += 1) advertise(registry, id(number), contentOf(number));
    const query = parseListQuery(search);
    const all = expected(registry, {}, query.sort);
    // Rows at the beginning have been found when they change, and the others not yet.
    let next = 0;
    const { answer, work } = make(registry, query, () => {
      for (let count = 0; count < 1000 && next < rows; count += 1, next += 3)
        registry.propose(withdrawn(id(next)));
    });
    assert.ok(Math.max(...work) <= MOST_IN_A_STEP, `${search}: ${String(Math.max(...work))}`);
    assertSame(read(answer), all, search);
  }
});

test('where all cost the same, a page by price looks at no more rows than one by id', () => {
  const registry = registryOf({
    pricing: contentOf(1).pricing,
    resources: { cpu: 1, memory: 8, storage: 40 },
  });
  const { work } = make(registry, parseListQuery('sort=price&limit=20'));
  assert.ok(work.reduce((sum, step) => sum + step, 0) < ROWS, `${String(work)} rows, of which 21 are enough`);
});

test('a list that its reader would not be given is refused before it is found: forty of one address filled the memory', () => {
  const registry = registryOf();
  const ask = (search: string, checkLong: () => void): { steps: number; answer: ListAnswer } => {
    const work = registry.listInSteps(parseListQuery(search), undefined, checkLong);
    for (let steps = 0; ; steps += 1) {
      const step = work.next();
      if (step.done === true) return { steps, answer: step.value };
    }
  };
  let checks = 0;
  const countChecks = (): void => void (checks += 1);
  const { steps } = ask('', countChecks);
  assert.ok(
    checks > 1,
    `checked ${String(checks)} times in ${String(steps)} steps: others may take the last place meanwhile`,
  );
  const refuse = (): never => {
    throw new Error('no place');
  };
  assert.throws(() => ask('', refuse), /no place/);
  assert.equal(parse(ask('limit=1000', refuse).answer.body).length, 1000);
  const { answer } = make(registry, parseListQuery(''));
  assertSame(read(answer), expected(registry, {}, 'id'));
});

test('a short list is refused if too much changes after it was found: it showed later forms of its rows', () => {
  const query = parseListQuery('cpu=64');
  const last = make(registryOf(), query).work.length;
  const registry = registryOf();
  let steps = 0;
  const meanwhile = (): void => {
    steps += 1;
    if (steps < last) return;
    for (let number = 0; number <= 20_000; number += 1)
      advertise(registry, `more-${String(number)}`, contentOf(number));
    for (let number = 0; number < ROWS; number += 1) advertise(registry, idOf(number), contentOf(number + 1));
  };
  assert.throws(() => make(registry, query, meanwhile), { code: 'ADV_003', unavailable: true });
});

test('a list during which too much changes is refused, and leaves nothing behind', () => {
  const registry = registryOf();
  let name = 0;
  assert.throws(
    () =>
      make(registry, parseListQuery('sort=price'), () => {
        for (let number = 0; number < ROWS; number += 1)
          advertise(registry, idOf(number), contentOf(number, { name: String(name++) }));
        for (let number = 0; number < 15_000; number += 1)
          advertise(registry, `more-${String(number)}`, contentOf(number, { name: String(name++) }));
      }),
    { code: 'ADV_003', unavailable: true, retryAfterSeconds: 5 },
  );
  const { answer } = make(registry, parseListQuery('sort=price&limit=20'));
  assertSame(read(answer), expected(registry, {}, 'price').slice(0, 20));
});
