import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { ListAnswers } from '../../src/http/list-answers.js';
import type { HttpResponse } from '../../src/protocol/http-message.js';
import { formatPageCursor } from '../../src/protocol/filters/list-query.js';
import { type Content, content } from '../support/data/arbitraries.js';
import { NO_READS } from '../support/hubs/gateway.js';
import { RegistryWorld } from '../support/worlds/registry-world.js';
import { type Step, sequences, steps } from '../support/worlds/steps.js';
import { CONTENT } from '../support/data/contents.js';

const QUERIES = [
  '',
  'limit=3',
  'cpu=2',
  'status=live',
  'sort=price&limit=4',
  'sort=updated',
  `after=${formatPageCursor({ sort: 'id', key: null, providerId: 'p3' })}`,
];

/** A registry, and answers that are kept wherever they may be. */
class World extends RegistryWorld {
  readonly answers = new ListAnswers(this.registry, NO_READS);
  /** How often an answer was there. */
  found = 0;
  /** Answers that somebody holds, and what was in them when they were given. */
  readonly #given = new Map<HttpResponse, string>();

  ask(query: string): HttpResponse {
    const answer = answerOf(this.answers, query);
    if (this.#given.has(answer)) this.found += 1;
    assert.deepEqual(answer, answerOf(new ListAnswers(this.registry, NO_READS), query));
    this.#given.set(answer, textOf(answer));
    return answer;
  }

  /** Nobody who holds an answer may see it change. */
  checkGiven(): void {
    for (const [answer, text] of this.#given) assert.equal(textOf(answer), text);
  }
}

function textOf({ headers, body }: HttpResponse): string {
  return JSON.stringify(headers) + Buffer.from(body).toString('utf8');
}

/** An answer that is there at once. */
function answerOf(answers: ListAnswers, query: string): HttpResponse {
  const answer = answers.answer(query, { key: () => 'somebody' });
  assert.ok(!(answer instanceof Promise));
  return answer;
}

const id = fc.nat(8).map((number) => `p${String(number)}`);
const step: fc.Arbitrary<Step<World>> = fc.oneof(
  steps('advertise', [id, content], (world: World, ...args) => {
    world.advertise(...args);
  }),
  steps('withdraw', [id], (world: World, one) => {
    world.withdraw(one);
  }),
  steps('attach', [id], (world: World, one) => {
    world.attach(one);
  }),
  steps('detach', [id], (world: World, one) => {
    world.detach(one);
  }),
  {
    weight: 10,
    arbitrary: steps('heartbeat', [id], (world: World, one) => {
      world.pass(1);
      world.heartbeat(one);
    }),
  },
  {
    weight: 20,
    arbitrary: steps('ask', [fc.constantFrom(...QUERIES)], (world: World, query) => {
      world.ask(query);
    }),
  },
);

const SOME: Content = { ...CONTENT, resources: { cpu: 2, memory: 2, storage: 2 } };

function worldOf(rows: number, changes: Partial<Content> = {}): World {
  const world = new World({ expiryMs: 600_000 });
  for (let row = 0; row < rows; row += 1) world.advertise(`p${String(row)}`, { ...SOME, ...changes });
  return world;
}

test('a kept answer is what would be made anew, whatever has happened since, and never changes', () => {
  let found = 0;
  fc.assert(
    fc.property(sequences(step, 120), (sequence) => {
      const world = worldOf(5);
      for (const each of sequence) each.run(world);
      world.checkGiven();
      found += world.found;
    }),
    { numRuns: 200 },
  );
  assert.ok(found > 1000, 'answers were hardly ever kept');
});

test('whoever asks the same gets the same until something changes; a page that is asked for once is not kept', () => {
  const world = worldOf(5);
  const first = world.ask('');
  assert.equal(world.ask(''), first);
  const apart = world.ask('limit=1');
  world.ask('limit=3');
  assert.equal(world.ask(''), first);
  world.pass(1);
  world.heartbeat('p1');
  const second = world.ask('');
  assert.notEqual(second, first);
  assert.equal(second.headers, first.headers, 'a heartbeat changes no more than times');
  assert.equal(world.ask('limit=1'), apart, 'and those only where its provider is');
  const kept = world.answers.size;
  world.ask(QUERIES.at(-1)!);
  assert.equal(world.answers.size, kept);
});

test('kept answers take no more memory than they may, and those that were made last stay', async () => {
  // The longest name there is.
  const world = worldOf(1400, { name: 'n'.repeat(64) });
  const queries = Array.from({ length: 30 }, (_, at) => `cpu=2&limit=${String(900 + at)}`);
  const { answers } = world;
  const ask = async (query: string): Promise<HttpResponse> =>
    await answers.answer(query, { key: () => 'somebody' });
  const made: HttpResponse[] = [];
  for (const query of queries) made.push(await ask(query));
  assert.ok(answers.bytes <= 8 << 20 && answers.bytes > 7 << 20, String(answers.bytes));
  assert.equal(await ask(queries.at(-1)!), made.at(-1));
  assert.notEqual(await ask(queries[0]!), made[0]);
  for (let at = 0; at < 1100; at += 1) await ask(`limit=1&memory=1&storage=${String(1 + at)}`);
  assert.equal(answers.size, 1024);
  assert.ok(answers.bytes < 1 << 20, 'those that went left nothing behind');
});
