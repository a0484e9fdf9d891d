import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { COUNTRIES } from '../../../src/protocol/countries.js';
import { ProtocolError } from '../../../src/protocol/errors.js';
import {
  askedAmounts,
  canonicalFilterKey,
  type Filter,
  parseFilter,
} from '../../../src/protocol/filters/filter.js';
import { filter } from '../../support/data/arbitraries.js';

function refusal(value: unknown): ProtocolError {
  try {
    parseFilter(value);
  } catch (error) {
    assert.ok(error instanceof ProtocolError);
    assert.equal(error.code, 'ADV_002');
    return error;
  }
  assert.fail(`was accepted: ${JSON.stringify(value)}`);
}

/** Writes a filter in another way that means the same. */
function anotherWay(
  from: Filter,
  { seed, repeat }: { seed: number; repeat: boolean },
): Record<string, unknown> {
  const rewrite = (member: string, value: unknown): unknown => {
    if (!Array.isArray(value)) return value;
    const texts = value as string[];
    if (texts.length === 1 && seed % 2 === 0 && member !== 'exclude')
      return member === 'country' ? texts[0]!.toLowerCase() : texts[0];
    const turned = [...texts.slice(seed % texts.length), ...texts.slice(0, seed % texts.length)];
    const again = repeat ? [...turned, ...texts] : turned;
    return member === 'country'
      ? again.map((code, index) => ((index + seed) % 3 === 0 ? code.toLowerCase() : code))
      : again;
  };
  const members = Object.entries(from).map(([member, value]) => [member, rewrite(member, value)] as const);
  const turn = seed % Math.max(1, members.length);
  return Object.fromEntries([...members.slice(turn), ...members.slice(0, turn)]);
}

test('order, repetition, case of countries and one value without a list make no difference to a filter', () => {
  fc.assert(
    fc.property(filter, fc.record({ seed: fc.nat(100), repeat: fc.boolean() }), (plain, way) => {
      const parsed = parseFilter(anotherWay(plain, way));
      assert.deepEqual(parsed, plain);
      assert.equal(canonicalFilterKey(parsed), canonicalFilterKey(plain));
    }),
    { numRuns: 1000 },
  );
});

test('two filters have the same key only when they are equal', () => {
  const isEqual = (a: Filter, b: Filter): boolean => {
    try {
      assert.deepEqual(a, b);
      return true;
    } catch {
      return false;
    }
  };
  fc.assert(
    fc.property(filter, filter, (a, b) => {
      assert.equal(canonicalFilterKey(a) === canonicalFilterKey(b), isEqual(a, b));
    }),
    { numRuns: 1000 },
  );
});

test('texts that could be mistaken for several, or for another member, have keys of their own', () => {
  const filters: Filter[] = [
    { platform: ['a', 'b'] },
    { platform: ['a,b'] },
    { platform: ['a","b'] },
    { platform: ['ab'] },
    { platform: ['A', 'b'] },
    { payments_network: ['a', 'b'] },
    { platform: ['a'], payments_network: ['b'] },
    { platform: ['live'] },
    { status: 'live' },
    { cpu: 1 },
    { memory: 1 },
    { storage: 1 },
    { max_usd_per_month: 1 },
    { max_glm_per_month: 1 },
    { country: ['SE'] },
    { not_country: ['SE'] },
    { exclude: ['a', 'b'] },
    { verified: true },
    { ip_confirmed: true },
    { min: { gpu: 1 } },
    { attributes: { gpu: [1] } },
    { attributes: { gpu: ['1'] } },
    { attributes: { gpu: [true] } },
    { attributes: { gpu: { min: 1 } } },
    { attributes: { gpu: { max: 1 } } },
    {},
  ];
  assert.equal(new Set(filters.map(canonicalFilterKey)).size, filters.length);
});

test('the case of platforms and networks matters', () => {
  assert.notEqual(
    canonicalFilterKey(parseFilter({ platform: 'ARM64' })),
    canonicalFilterKey(parseFilter({ platform: 'arm64' })),
  );
});

test('all 250 countries may be asked for at once', () => {
  assert.deepEqual(parseFilter({ country: COUNTRIES }).country, COUNTRIES);
});

test('an amount that is not asked counts as 1 in the estimate', () => {
  assert.deepEqual(askedAmounts({}), { cpu: 1, memory: 1, storage: 1 });
  assert.deepEqual(askedAmounts({ cpu: 3, storage: 5 }), { cpu: 3, memory: 1, storage: 5 });
});

test('a filter that is not acceptable is refused with a message that names the member', () => {
  const wrong: [string, unknown][] = [
    ['cpu', { cpu: 0 }],
    ['cpu', { cpu: 4097 }],
    ['cpu', { cpu: '4' }],
    ['cpu', { cpu: 1.5 }],
    ['cpu', { cpu: null }],
    ['memory', { memory: 65_537 }],
    ['storage', { storage: 10_000_001 }],
    ['country', { country: 'XX' }],
    ['country', { country: ['SE', 'XX'] }],
    ['country', { country: [] }],
    ['country', { country: 5 }],
    ['country', { country: Array<string>(257).fill('SE') }],
    ['platform', { platform: '' }],
    ['platform', { platform: ['a', ''] }],
    ['platform', { platform: 'a'.repeat(33) }],
    ['platform', { platform: ['a\n'] }],
    ['platform', { platform: '\ud800' }],
    ['payments_network', { payments_network: [{}] }],
    ['max_usd_per_month', { max_usd_per_month: -1 }],
    ['max_usd_per_month', { max_usd_per_month: Infinity }],
    ['max_usd_per_month', { max_usd_per_month: '1' }],
    ['max_glm_per_month', { max_glm_per_month: -1 }],
    ['not_country', { not_country: 'XX' }],
    ['exclude', { exclude: 'a' }],
    ['exclude', { exclude: [] }],
    ['exclude', { exclude: [''] }],
    ['exclude', { exclude: Array<string>(101).fill('a') }],
    ['verified', { verified: false }],
    ['verified', { verified: 'true' }],
    ['status', { status: 'suspect' }],
    ['status', { status: null }],
    ['ip_confirmed', { ip_confirmed: false }],
    ['min', { min: { gpu: -1 } }],
    ['min', { min: { gpu: '1' } }],
    ['min', { min: {} }],
    ['min', { min: [] }],
    ['attributes', { attributes: { x: [] } }],
    ['attributes', { attributes: { x: '' } }],
    ['attributes', { attributes: { x: null } }],
    ['attributes', { attributes: { x: ['a', Infinity] } }],
    ['attributes', { attributes: {} }],
    ['attributes', { attributes: 'x' }],
  ];
  for (const [member, value] of wrong) {
    const { message } = refusal(value);
    assert.match(
      message,
      new RegExp(`^invalid filter: ${member}(\\.\\w+)*: (must|can only) `),
      JSON.stringify(value),
    );
  }
});

test('an unknown member of a filter is refused by its name, never dropped', () => {
  for (const name of ['gpu', 'CPU', 'sort', 'limit', 'toString']) {
    const { message } = refusal({ cpu: 1, [name]: 1 });
    assert.ok(message.includes(`"${name}"`), message);
  }
  assert.match(refusal(JSON.parse('{"__proto__":{"cpu":1}}')).message, /__proto__/);
});

test('whatever is no object is refused with a message that says so', () => {
  for (const value of [null, undefined, [], 'cpu=1', 5])
    assert.equal(refusal(value).message, 'invalid filter: a filter must be an object');
});
