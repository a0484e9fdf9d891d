import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import test from 'node:test';
import fc from '../support/properties.js';
import countries from 'i18n-iso-countries';
import { parseAdvertisement } from '../../src/protocol/advertisement.js';
import { COUNTRIES, isAssignedCountry } from '../../src/protocol/countries.js';
import { ProtocolError } from '../../src/protocol/errors.js';
import { LIMITS } from '../../src/protocol/limits.js';

const RESOURCES = { cpu: 4, memory: 8, storage: 40 };
const MINIMAL = { ip_address: '203.0.113.7', country: 'SE', resources: RESOURCES };

function refusal(value: unknown): ProtocolError {
  try {
    parseAdvertisement(value);
  } catch (error) {
    assert.ok(error instanceof ProtocolError);
    return error;
  }
  assert.fail(`was accepted: ${JSON.stringify(value).slice(0, 200)}`);
}

/** The code and the first member that the message names. */
function refused(value: unknown): string {
  const { code, message } = refusal(value);
  return `${code} ${message.split(':')[0]!}`;
}

test('the countries are those that ISO 3166-1 has officially assigned, and Kosovo', () => {
  // The package also knows Kosovo's code, which is a user-assigned one.
  assert.deepEqual([...COUNTRIES], Object.keys(countries.getAlpha2Codes()).sort());
  assert.equal(COUNTRIES.length, 250);
});

test('a country comes in either case, goes out in upper case, and has to be assigned', () => {
  const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
  for (const first of letters) {
    for (const second of letters) {
      const code = first + second;
      for (const written of [code, code.toLowerCase(), first + second.toLowerCase()]) {
        const advertisement = { ...MINIMAL, country: written };
        const alias = { UK: 'GB', EL: 'GR' }[code];
        if (alias !== undefined) assert.equal(parseAdvertisement(advertisement).country, alias);
        else if (isAssignedCountry(code)) assert.equal(parseAdvertisement(advertisement).country, code);
        else assert.equal(refused(advertisement), 'ADV_001 country');
      }
    }
  }
});

test('what only looks like a country after case mapping or trimming is none', () => {
  for (const country of ['', 'S', 'SWE', ' SE', 'SE ', 'SE\n', 'ß', 'ſe', 'ıd', 'XX', 'EU', 5, null])
    assert.equal(refused({ ...MINIMAL, country }), 'ADV_001 country');
});

test('an address is taken exactly when it is an IPv4 or IPv6 address without zone, port or brackets', () => {
  const junk = fc.constantFrom(
    '',
    '0',
    '1',
    '00',
    '.',
    ':',
    '::',
    '%1',
    '/8',
    ':80',
    '[',
    ']',
    ' ',
    '\n',
    'g',
    '256',
  );
  const address = fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6());
  const mutated = fc
    .tuple(address, fc.nat({ max: 40 }), fc.nat({ max: 2 }), junk)
    .map(([text, at, removed, inserted]) => text.slice(0, at) + inserted + text.slice(at + removed));
  fc.assert(
    fc.property(fc.oneof(address, mutated), (text) => {
      const acceptable = isIP(text) !== 0 && !text.includes('%');
      if (acceptable) assert.equal(parseAdvertisement({ ...MINIMAL, ip_address: text }).ip_address, text);
      else assert.equal(refused({ ...MINIMAL, ip_address: text }), 'ADV_001 ip_address', text);
    }),
    { numRuns: 1500 },
  );
});

test('addresses that people write wrongly are refused', () => {
  const wrong = [
    '203.0.113.07',
    '203.0.113',
    '203.0.113.256',
    '203.0.113.7:80',
    '[2001:db8::7]',
    'fe80::1%eth0',
  ];
  for (const address of [...wrong, '2001:db8::/32', '203.0.113.7 ', 'localhost', '0x7f.1', 3405803783, null])
    assert.equal(refused({ ...MINIMAL, ip_address: address }), 'ADV_001 ip_address');
});

test('cpu, memory and storage are integers within their bounds, and all three are there', () => {
  const bounds = { cpu: LIMITS.maxCpu, memory: LIMITS.maxMemory, storage: LIMITS.maxStorage };
  assert.deepEqual(bounds, { cpu: 4096, memory: 65_536, storage: 10_000_000 });
  for (const [member, max] of Object.entries(bounds)) {
    for (const good of [1, 2, max])
      parseAdvertisement({ ...MINIMAL, resources: { ...RESOURCES, [member]: good } });
    for (const bad of [0, -1, 1.5, max + 1, '4', null, undefined, true, [4]])
      assert.equal(
        refused({ ...MINIMAL, resources: { ...RESOURCES, [member]: bad } }),
        `ADV_002 resources.${member}`,
      );
  }
  for (const resources of [null, undefined, [], 'x', 4])
    assert.equal(refusal({ ...MINIMAL, resources }).code, 'ADV_002');
});

test('up to 13 further resources are kept, of any name in lower case', () => {
  const further = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`r${String(index)}`, index]));
  const resources = { ...RESOURCES, ...further(13) };
  assert.deepEqual(parseAdvertisement({ ...MINIMAL, resources }).resources, resources);
  assert.equal(refused({ ...MINIMAL, resources: { ...RESOURCES, ...further(14) } }), 'ADV_002 resources');
  for (const name of ['gpu', 'a', 'gpu_2', `a${'b'.repeat(31)}`, 'constructor'])
    assert.equal(
      parseAdvertisement({ ...MINIMAL, resources: { ...RESOURCES, [name]: 0 } }).resources[name],
      0,
    );
  for (const name of ['', 'GPU', '2gpu', '_gpu', 'g-pu', `a${'b'.repeat(32)}`, 'gpü'])
    assert.equal(
      refused({ ...MINIMAL, resources: { ...RESOURCES, [name]: 1 } }),
      `ADV_002 resources.${name}`,
    );
  for (const value of [-1, 0.5, '1', null, 2 ** 53])
    assert.equal(refused({ ...MINIMAL, resources: { ...RESOURCES, gpu: value } }), 'ADV_002 resources.gpu');
});

test('texts are counted in characters, not in code units, and have no control characters', () => {
  const bounds = { platform: 32, name: 64, payments_network: 64 };
  for (const [member, max] of Object.entries(bounds)) {
    for (const good of ['a', ' ', '😀'.repeat(max), 'é'.repeat(max), '"\\/'])
      assert.equal({ ...parseAdvertisement({ ...MINIMAL, [member]: good }) }[member], good);
    const control = ['\n', 'a\u0000', '\u007f', 'a\u0085b', '\t'];
    for (const bad of [
      '',
      'a'.repeat(max + 1),
      '😀'.repeat(max + 1),
      '\ud800',
      'a\udc00',
      ...control,
      5,
      {},
      [],
    ])
      assert.equal(refused({ ...MINIMAL, [member]: bad }), `ADV_001 ${member}`);
  }
});

test('optional members may be left out or null; unknown ones are dropped', () => {
  assert.deepEqual(parseAdvertisement(MINIMAL), MINIMAL);
  const nulls = { platform: null, pricing: null, name: null, payments_network: null };
  assert.deepEqual(parseAdvertisement({ ...MINIMAL, ...nulls }), { ...MINIMAL, ...nulls });
  assert.deepEqual(parseAdvertisement({ ...MINIMAL, provider_id: 'other', status: 'live', x: {} }), MINIMAL);
});

test('prices are finite numbers of at least 0; up to 10 further members are numbers or short texts', () => {
  const known = ['usd', 'glm'].flatMap((currency) =>
    ['core', 'gb_ram', 'gb_storage'].map((unit) => `${currency}_per_${unit}_month`),
  );
  const parse = (pricing: unknown) => parseAdvertisement({ ...MINIMAL, pricing }).pricing;
  for (const name of known) {
    for (const good of [0, 0.001, 1e300]) assert.deepEqual(parse({ [name]: good }), { [name]: good });
    for (const bad of [-0.01, Number.NaN, Infinity, '1', null, {}])
      assert.equal(refused({ ...MINIMAL, pricing: { [name]: bad } }), `ADV_001 pricing.${name}`);
  }
  const further = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${String(index)}`, index]));
  assert.deepEqual(parse(further(10)), further(10));
  assert.equal(refused({ ...MINIMAL, pricing: further(11) }), 'ADV_001 pricing');
  for (const good of [-1, 0.5, '', 'text', '😀'.repeat(64)])
    assert.deepEqual(parse({ note: good }), { note: good });
  for (const bad of [Number.NaN, Infinity, 'a'.repeat(65), '\ud800', null, true, {}, []])
    assert.equal(refused({ ...MINIMAL, pricing: { note: bad } }), 'ADV_001 pricing.note');
  for (const pricing of ['x', 5, []]) assert.equal(refused({ ...MINIMAL, pricing }), 'ADV_001 pricing');
});

test('members that would reach an object’s prototype are refused by their name', () => {
  const members = '"ip_address":"203.0.113.7","country":"SE"';
  const resources = '"resources":{"cpu":4,"memory":8,"storage":40';
  const proto = (value: string) => `"__proto__":${value}`;
  for (const value of ['1', '{"gpu":1}', 'null']) {
    const inResources: unknown = JSON.parse(`{${members},${resources},${proto(value)}}}`);
    assert.equal(refused(inResources), 'ADV_002 resources.__proto__');
    const inPricing: unknown = JSON.parse(`{${members},${resources}},"pricing":{${proto(value)}}}`);
    assert.equal(refused(inPricing), 'ADV_001 pricing.__proto__');
  }
  const hidden: unknown = JSON.parse(
    `{"ip_address":"203.0.113.7",${resources}},${proto('{"country":"SE"}')}}`,
  );
  assert.equal(refused(hidden), 'ADV_001 country');
  const unknown: unknown = JSON.parse(`{${members},${resources}},${proto('{"name":"x"}')}}`);
  assert.deepEqual(parseAdvertisement(unknown), MINIMAL);
});

test('whatever is no object is refused with a message that says so', () => {
  for (const value of [null, undefined, [], 'x', 5, true])
    assert.equal(refusal(value).message, 'an advertisement must be a JSON object');
});

test('a refusal tells of several members at once, and bad resources alone make it ADV_002', () => {
  const { code, message } = refusal({ ip_address: 'x', country: 'XX', resources: { cpu: 0 } });
  assert.equal(code, 'ADV_001');
  for (const member of ['ip_address', 'country', 'resources.cpu', 'resources.memory'])
    assert.ok(message.includes(`${member}: `), message);
  assert.equal(refusal({ ...MINIMAL, resources: { cpu: 0 } }).code, 'ADV_002');
});

test('texts of prices have no control characters, which a terminal would obey', () => {
  for (const note of ['\u001b[2J', 'a\nb', '\u007f', 'a\u009bb']) {
    assert.equal(refused({ ...MINIMAL, pricing: { note } }), 'ADV_001 pricing.note');
  }
  assert.equal(
    parseAdvertisement({ ...MINIMAL, pricing: { note: 'net – ☕' } }).pricing?.['note'],
    'net – ☕',
  );
});
