import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Explanation, Miss } from '../../../src/client/node.js';
import { flagIn, flagOf } from '../../../src/cli/answers/condition-flag.js';
import { describeMiss, relaxationsOf } from '../../../src/cli/answers/relaxing.js';
import { buildProgram } from '../../../src/cli/program.js';
import { filterOf, type FilterFlags } from '../../../src/cli/options.js';
import { parseFilter } from '../../../src/protocol/filters/filter.js';

const FILTER = parseFilter({
  cpu: 8,
  country: ['SE', 'NO'],
  max_usd_per_month: 60,
  status: 'live',
  min: { gpu: 2, fpga: 1 },
  attributes: { gpu_model: 'RTX 4090', rack: ['7', 7], bandwidth_mbps: { min: 100 } },
});

function explained(parts: Partial<Explanation>): Explanation {
  return { cursor: 'e:1', providers: 20, matched: 0, rejected_by: {}, only_by: {}, nearest: [], ...parts };
}

function nearest(...misses: Miss[][]): Explanation['nearest'] {
  return misses.map((some, number) => ({ provider_id: `p${String(number)}`, misses: some }));
}

const price = (offered: number | null): Miss => ({ member: 'max_usd_per_month', asked: 60, offered });

test('every condition of a filter is written as a flag that asks for the same', () => {
  const members = 'cpu country max_usd_per_month status min.gpu min.fpga'.split(' ');
  const attributes = ['attr.gpu_model', 'attr.rack', 'attr.bandwidth_mbps'];
  const flags = [...members, ...attributes].map((member) => flagIn(FILTER, member));
  assert.deepEqual(flags, [
    '--cpu 8',
    '--country NO,SE',
    '--max-usd 60',
    '--live',
    '--gpu 2',
    '--min fpga=1',
    '--attr gpu_model="RTX 4090"',
    '--attr rack=7',
    '--attr bandwidth_mbps:100..',
  ]);
  const list = buildProgram().commands.find((command) => command.name() === 'list')!;
  // As a shell takes them apart.
  const words = flags
    .join(' ')
    .match(/(?:"[^"]*"|[^\s"])+/g)!
    .map((word) => word.replaceAll('"', ''));
  list.parseOptions(words);
  assert.deepEqual(parseFilter(filterOf(list.opts<FilterFlags>())), FILTER);
});

test('what only a newer hub knows is called as the hub calls it', () => {
  assert.equal(flagOf('min_uptime', 0.9), 'min_uptime 0.9');
  assert.equal(flagIn(FILTER, 'min_uptime'), 'min_uptime');
});

test('the conditions that alone keep providers out are named, and how far a number has to go', () => {
  const explanation = explained({
    only_by: { cpu: 2, country: 7, max_usd_per_month: 5, 'attr.gpu_model': 0 },
    nearest: nearest(
      [price(61.234)],
      [price(1000), { member: 'cpu', asked: 8, offered: 1 }],
      [price(68.101)],
      [price(69.999)],
      [price(null)],
      [{ member: 'cpu', asked: 8, offered: 4 }],
      [{ member: 'cpu', asked: 8, offered: 2 }],
    ),
  });
  assert.equal(
    relaxationsOf(explanation, FILTER),
    '7 more without --country NO,SE; 3 or more with --max-usd 70; 2 more with --cpu 2.',
  );
});

test('where nobody has an amount, or has nought of it, the condition has to go', () => {
  const miss: Miss = { member: 'min.gpu', asked: 2, offered: 0 };
  const explanation = explained({
    only_by: { 'min.gpu': 1, max_usd_per_month: 4 },
    nearest: nearest([miss], [price(null)]),
  });
  assert.equal(relaxationsOf(explanation, FILTER), '4 more without --max-usd 60; 1 more without --gpu 2.');
});

test('where every provider misses several conditions, the nearest is named with what it misses', () => {
  const misses: Miss[] = [
    { member: 'attr.gpu_model', asked: ['RTX 4090'], offered: 'A100' },
    { member: 'payments_network', asked: ['polygon'], offered: null },
  ];
  assert.equal(
    relaxationsOf(explained({ nearest: nearest(misses) }), FILTER),
    'Every provider misses several conditions; the nearest, p0, misses --attr gpu_model="RTX 4090" (has A100) and --payments-network polygon (has none).',
  );
  assert.equal(describeMiss({ member: 'verified', asked: true, offered: false }), '--verified (is not)');
});

test('an empty hub is said to be empty, and where all match there is nothing to relax', () => {
  assert.equal(relaxationsOf(explained({ providers: 0 }), FILTER), 'The hub lists no provider at all.');
  assert.equal(relaxationsOf(explained({ matched: 20 }), {}), null);
});
