import assert from 'node:assert/strict';
import test from 'node:test';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import { type ListQuery, parseListQuery } from '../../../src/protocol/filters/list-query.js';
import { LongList } from '../../../src/registry/lists/long-list.js';
import type { Registry } from '../../../src/registry/registry.js';
import { type Content, recordOf } from '../../support/data/arbitraries.js';
import { FakeClock } from '../../support/fake-clock.js';
import { comparable, RegistryWorld, T0 } from '../../support/worlds/registry-world.js';
import { advertised } from '../../support/data/entries.js';
import { LoggedRegistry } from '../../support/worlds/logged-registry.js';

const ROWS = 4000;
const TIMES = { createdAt: T0, updatedAt: T0 };
const ALL = parseListQuery('');

function content(number: number, changes: Partial<Content> = {}): Content {
  return {
    ipAddress: '203.0.113.7',
    country: number % 3 === 0 ? 'SE' : 'NO',
    resources: { cpu: 1 + (number % 64), memory: 8, storage: 40 },
    platform: 'x86_64',
    pricing: null,
    name: `provider number ${String(number)}`,
    paymentsNetwork: null,
    attributes: null,
    endpoint: null,
    ...changes,
  };
}

const idOf = (number: number): string => `p${String((number * 7919) % ROWS).padStart(5, '0')}`;

/** A registry whose list of everything is too long for one piece. */
function full(): RegistryWorld {
  const world = new RegistryWorld({ expiryMs: 600_000 });
  for (let number = 0; number < ROWS; number += 1) world.advertise(idOf(number), content(number));
  return world;
}

function open({ registry }: { registry: Registry }, query: ListQuery = ALL): LongList {
  const { body } = registry.list(query);
  assert.ok(body instanceof LongList, 'the list is a long one');
  return body;
}

/** Reads a list to its end; something happens between its parts. */
function read(list: LongList, meanwhile: (part: number) => void = () => undefined): string {
  const parts: Uint8Array[] = [];
  for (let part = list.next(); part !== null; part = list.next()) {
    parts.push(part);
    meanwhile(parts.length);
  }
  const whole = Buffer.concat(parts);
  assert.equal(whole.length, list.bytes);
  list.close();
  return whole.toString('utf8');
}

function advertisementsIn(text: string): PublishedAdvertisement[] {
  return JSON.parse(text) as PublishedAdvertisement[];
}

test('a long list is that of the moment when it was asked for, whatever happens while it is read', () => {
  const world = full();
  const { seq } = world;
  const expected = [...world.matching({}, seq).values()].sort();
  const list = open(world);
  const text = read(list, (part) => {
    for (let number = part * 100; number < part * 100 + 60; number += 1) {
      if (number % 3 === 0) world.withdraw(idOf(number));
      else if (number % 3 === 1)
        world.advertise(idOf(number), content(number, { country: 'DE', name: null }));
      else world.heartbeat(idOf(number));
      world.advertise(`new-${String(number)}`, content(number));
    }
  });
  const found = advertisementsIn(text);
  assert.deepEqual(found.map(comparable).sort(), expected);
  const ids = found.map(({ provider_id }) => provider_id);
  assert.deepEqual(ids, [...ids].sort(), 'in the order of the list');
});

test('it comes sorted and filtered like a short one', () => {
  const world = full();
  const [newest, ...others] = advertisementsIn(read(open(world, parseListQuery('sort=updated&storage=40'))));
  assert.ok(newest !== undefined);
  assert.equal(others.length + 1, world.matching({ storage: 40 }, world.seq).size);
  const { body } = world.registry.list(parseListQuery('sort=updated&storage=40&limit=1000'));
  assert.ok(body instanceof Buffer);
  const page = advertisementsIn(body.toString('utf8'));
  assert.deepEqual(page, [newest, ...others].slice(0, 1000));
});

test('only so many are read at a time; the next is told so until one has ended', () => {
  const world = full();
  const lists = Array.from({ length: 32 }, () => open(world));
  assert.throws(() => world.registry.list(ALL), { code: 'ADV_003', unavailable: true, retryAfterSeconds: 5 });
  world.registry.list(parseListQuery('limit=1000'));
  lists[7]!.close();
  lists[7]!.close();
  lists.push(open(world));
  assert.throws(() => world.registry.list(ALL), { code: 'ADV_003', unavailable: true });
  for (const list of lists) list.close();
  open(world).close();
});

test('who takes too long, or has too much kept, is not waited for', () => {
  const world = full();
  const slow = open(world);
  slow.next();
  world.pass(299_800);
  slow.next();
  world.pass(600);
  assert.throws(() => slow.next(), /too slowly/);
  slow.close();

  // Each change of a row that was not read yet has the row before it kept.
  const settings = { expiryMs: 600_000, restartGraceMs: 1000, replayEvents: 1000, cleanupMs: 1000 };
  const registry = new LoggedRegistry(settings, new FakeClock(T0));
  const advertiseAll = (changes: Partial<Content>): void => {
    for (let number = 0; number < 60_000; number += 1) {
      const record = recordOf(`more-${String(number)}`, content(number, changes), TIMES);
      registry.propose(advertised(record));
    }
  };
  advertiseAll({});
  const far = open({ registry });
  advertiseAll({ country: 'DE' });
  assert.throws(() => far.next(), /too slowly/);
  far.close();
});
