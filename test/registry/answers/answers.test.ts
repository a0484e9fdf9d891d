import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import type { Work } from '../../../src/lib/turns/work-queue.js';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import type { Filter } from '../../../src/protocol/filters/filter.js';
import { market } from '../../../src/registry/answers/market.js';
import { ChangeLog } from '../../../src/registry/change-log.js';
import { renderHead } from '../../../src/registry/store/advertisement-json.js';
import { Store } from '../../../src/registry/store/store.js';
import { type Content, content, filter, recordOf } from '../../support/data/arbitraries.js';
import * as naive from '../../support/worlds/naive-answers.js';
import { randomOf } from '../../support/random.js';
import { RegistryWorld } from '../../support/worlds/registry-world.js';
import { sequences, type Step, steps } from '../../support/worlds/steps.js';

const IDS = Array.from({ length: 30 }, (_, number) => (number % 2 === 0 ? 'p' : 'P-') + String(number));
const id = fc.constantFrom(...IDS);

const change: fc.Arbitrary<Step<RegistryWorld>> = fc.oneof(
  {
    weight: 6,
    arbitrary: steps<RegistryWorld, [string, Content, boolean]>(
      'advertise',
      [id, content, fc.boolean()],
      (world, who, what, signed) => {
        world.advertise(who, what, { signed });
      },
    ),
  },
  {
    weight: 2,
    arbitrary: steps<RegistryWorld, [string]>('suspect', [id], (world, who) => {
      world.attach(who);
      world.detach(who);
    }),
  },
  {
    weight: 1,
    arbitrary: steps<RegistryWorld, [string]>('withdraw', [id], (world, who) => {
      world.withdraw(who);
    }),
  },
);

/** All that is advertised, as the model has it. */
function present(world: RegistryWorld, ids: readonly string[]): PublishedAdvertisement[] {
  return ids.flatMap((one) => world.at(one, world.seq)?.advertisement ?? []);
}

/** Makes an answer; something happens between its steps. */
function make<Result>(work: Work<Result>, meanwhile: () => void = () => undefined): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    meanwhile();
  }
}

const ATTRIBUTES = ['attr.gpu_model', 'attr.speed', 'attr.nobody_has_it'] as const;
const by = fc.constantFrom(null, 'country' as const, 'platform' as const, ...ATTRIBUTES);

test('explanations, markets and standings are those of a naive model', () => {
  fc.assert(
    fc.property(sequences(change, 60), filter, by, fc.nat(), (changes, asked, key, chosen) => {
      const world = new RegistryWorld({ expiryMs: 600_000 });
      for (const { run } of changes) run(world);
      const { answers, cursor, store } = world.registry;
      const all = present(world, IDS);
      assert.deepEqual(make(answers.explain(asked)), { cursor, ...naive.explain(all, asked) });
      assert.deepEqual(make(answers.market(asked, key)), { cursor, ...naive.market(all, asked, key) });
      if (all.length === 0) return;
      const one = all[chosen % all.length]!.provider_id;
      const explained = make(answers.explainProvider(asked, one));
      assert.deepEqual(explained, { cursor, ...naive.explainProvider(all, asked, one) });
      assert.deepEqual(make(answers.standing(store.find(one)!)), naive.visibility(all, [], one).price);
    }),
    { numRuns: 100 },
  );
});

test('markets by an attribute are those of a naive model, too, where some rows keep their facts as texts', () => {
  const many = fc.array(content, { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(
      many,
      filter,
      fc.constantFrom(...ATTRIBUTES),
      fc.constantFrom(0, 2, 5),
      (contents, asked, key, maxFacts) => {
        const store = new Store(maxFacts);
        contents.forEach((one, number) => {
          const record = recordOf(`p${String(number)}`, one);
          store.add(record, renderHead(record), { updatedAt: 0, expiresAt: 0, deadline: 0 }, true);
          // Makes room, so that what others keep as a text may get a number.
          if (number % 3 === 2) store.remove(store.find(`p${String(number - 1)}`)!);
        });
        const all = store.ids.flatMap((one, slot) => (one === undefined ? [] : [store.advertisement(slot)]));
        const { cursor: _, ...answer } = make(
          market(store, new ChangeLog('e', 8, store.numbers), asked, key),
        );
        assert.deepEqual(answer, naive.market(all, asked, key));
      },
    ),
    { numRuns: 200 },
  );
});

/** More than are looked at in one step. */
const ROWS = 4800;

test('what changes while an answer is made is not in it', (t) => {
  const random = randomOf(t);
  const below = (end: number): number => Math.floor(random() * end);
  const contents = fc.sample(content, { numRuns: 200, seed: below(2 ** 31) });
  const world = new RegistryWorld({ expiryMs: 600_000, replayEvents: 10_000 });
  const ids = Array.from({ length: ROWS + 200 }, (_, number) => `p${String((number * 7919) % 10_000)}`);
  const advertise = (number: number): void => {
    world.advertise(ids[number]!, contents[below(contents.length)]!, { signed: random() < 0.5 });
  };
  for (let number = 0; number < ROWS; number += 1) advertise(number);
  const change = (): void => {
    for (let times = 0; times < 150; times += 1) {
      const number = below(ids.length);
      if (random() < 0.3) world.withdraw(ids[number]!);
      else advertise(number);
    }
  };
  // Some slots have been used anew.
  change();
  const { registry } = world;
  const { answers, store } = registry;
  const check = (begin: () => Work<object>, expectedOf: (all: PublishedAdvertisement[]) => object): void => {
    const all = present(world, ids);
    const { cursor } = registry;
    const work = begin();
    let steps = 0;
    const answer = make(work, () => {
      steps += 1;
      change();
    });
    assert.ok(steps > 1, 'it was made in several steps');
    assert.deepEqual(answer, { cursor, ...expectedOf(all) });
  };
  const asked: Filter = {
    cpu: 2,
    country: ['NO', 'SE'],
    max_usd_per_month: 1,
    status: 'live',
    verified: true,
  };
  check(
    () => answers.explain(asked),
    (all) => naive.explain(all, asked),
  );
  check(
    () => answers.market({}, 'platform'),
    (all) => naive.market(all, {}, 'platform'),
  );
  check(
    () => answers.market({ cpu: 1 }, 'attr.speed'),
    (all) => naive.market(all, { cpu: 1 }, 'attr.speed'),
  );
  const one = present(world, ids).find(({ pricing }) => pricing?.usd_per_gb_ram_month === 0.1)!.provider_id;
  const slot = store.find(one)!;
  const standing = naive.visibility(present(world, ids), [], one).price;
  if (standing !== null) assert.deepEqual(make(answers.standing(slot), change), standing);
  const still = present(world, ids)[0]!.provider_id;
  check(
    () => answers.explainProvider({}, still),
    (all) => naive.explainProvider(all, {}, still),
  );
});

test('an answer that takes longer than changes are kept is refused, and says what to do', () => {
  const world = new RegistryWorld({ expiryMs: 600_000, replayEvents: 2 });
  const [one] = fc.sample(content, { numRuns: 1, seed: 1 });
  for (let number = 0; number < 4200; number += 1) world.advertise(`p${String(number)}`, one!);
  const asks: (() => Work<unknown>)[] = [
    () => world.registry.answers.explain({}),
    () => world.registry.answers.market({}, null),
  ];
  for (const ask of asks) {
    let number = 0;
    const change = (): void => {
      for (; number < 3; number += 1) world.withdraw(`p${String(number)}`);
    };
    assert.throws(() => make(ask(), change), { code: 'ADV_003', unavailable: true, retryAfterSeconds: 5 });
    for (number = 0; number < 3; number += 1) world.advertise(`p${String(number)}`, one!);
  }
});
