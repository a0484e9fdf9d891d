import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertError,
  Line,
  onBothTransports,
  type PublishedAdvertisement,
} from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT } from '../../support/hubs/test-hub.js';

const TEXTS = { platform: 32, name: 64, payments_network: 64 } as const;
const PRICES = [
  'usd_per_core_month',
  'usd_per_gb_ram_month',
  'usd_per_gb_storage_month',
  'glm_per_core_month',
  'glm_per_gb_ram_month',
  'glm_per_gb_storage_month',
] as const;

/** The text of an advertisement in which `member` has a value that is written as it stands. */
function written(member: string, json: string): string {
  return `${JSON.stringify(ADVERTISEMENT).slice(0, -1)},${JSON.stringify(member)}:${json}}`;
}

onBothTransports('optional members of an advertisement', {}, (hub) => {
  const key = new TestKey();
  const line = new Line(hub);
  const post = (advertisement: object | string) =>
    line.post<PublishedAdvertisement>(key, key.publicKey, advertisement);
  const refused = async (advertisement: object | string, member: string): Promise<void> => {
    assertError(await post(advertisement), 400, 'ADV_001', new RegExp(`(?:^|; )${member}\\b`));
  };
  const accepted = async (advertisement: object | string): Promise<PublishedAdvertisement> => {
    const answer = await post(advertisement);
    assert.equal(answer.status, 200, `${JSON.stringify(advertisement)}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const withPricing = (pricing: unknown): object => ({ ...ADVERTISEMENT, pricing });

  test('texts have 1 character to their maximum, counted as people count', async () => {
    for (const [member, max] of Object.entries(TEXTS)) {
      for (const text of [
        'x',
        ' ',
        'å',
        'x'.repeat(max),
        'å'.repeat(max),
        '😀'.repeat(max),
        '漢'.repeat(max),
      ]) {
        const published = await accepted({ ...ADVERTISEMENT, [member]: text });
        assert.equal(published[member as keyof PublishedAdvertisement], text);
      }
      for (const text of [
        '',
        'x'.repeat(max + 1),
        '😀'.repeat(max + 1),
        'å'.repeat(max + 1),
        'x'.repeat(5000),
      ]) {
        await refused({ ...ADVERTISEMENT, [member]: text }, member);
      }
    }
  });

  test('a name has no control characters', async () => {
    const controls = [0x00, 0x01, 0x07, 0x08, 0x09, 0x0a, 0x0d, 0x1b, 0x1f, 0x7f, 0x80, 0x85, 0x9f];
    for (const code of controls) {
      await refused({ ...ADVERTISEMENT, name: `a${String.fromCharCode(code)}b` }, 'name');
      await refused({ ...ADVERTISEMENT, name: String.fromCharCode(code) }, 'name');
    }
    for (const name of [
      'a b',
      'a\u00a0b',
      '"\\/',
      '<script>',
      "'; DROP TABLE advertisements; --",
      '{}',
      'null',
    ]) {
      assert.equal((await accepted({ ...ADVERTISEMENT, name })).name, name);
    }
  });

  test('texts are texts', async () => {
    for (const member of Object.keys(TEXTS)) {
      for (const value of [1, 0, true, false, [], ['x'], {}, { toString: 'x' }]) {
        await refused({ ...ADVERTISEMENT, [member]: value }, member);
      }
      const published = await accepted({ ...ADVERTISEMENT, [member]: null });
      assert.equal(published[member as keyof PublishedAdvertisement], null);
    }
  });

  test('half a character, which has no UTF-8 form, is refused wherever it would be published', async () => {
    for (const half of ['\\ud800', '\\udc00', 'a\\udbffb', '\\udc00\\ud800', '\\ud83d\\ud83d\\ude00']) {
      for (const member of Object.keys(TEXTS)) await refused(written(member, `"${half}"`), member);
      await refused(written('pricing', `{"note":"${half}"}`), 'pricing');
      await refused(written('pricing', `{"${half}":1}`), 'pricing');
      const inResources = JSON.stringify(ADVERTISEMENT).replace('"cpu"', `"${half}":1,"cpu"`);
      assertError(await post(inResources), 400, 'ADV_002', /resources/);
      await refused(JSON.stringify(ADVERTISEMENT).replace('"SE"', `"${half}"`), 'country');
      // Where it is dropped it does no harm.
      await accepted(written('later', `"${half}"`));
      await accepted(written(half, '1').replace(`"\\\\u`, `"\\u`));
    }
    assert.equal((await accepted(written('name', '"\\ud83d\\ude00"'))).name, '😀');
  });

  test('prices are finite numbers of at least 0', async () => {
    for (const price of PRICES) {
      for (const value of [0, 0.1, 1e-300, 3.5, 1e308, Number.MAX_VALUE, Number.MIN_VALUE]) {
        const published = await accepted(withPricing({ [price]: value }));
        assert.deepEqual(published.pricing, { [price]: value });
      }
      for (const value of [-1, -1e-300, '1', '', true, null, [], {}]) {
        await refused(withPricing({ [price]: value }), `pricing.${price}`);
      }
      for (const number of ['1e400', '-1e400', '1e309']) {
        await refused(written('pricing', `{"${price}":${number}}`), `pricing.${price}`);
      }
    }
  });

  test('all prices can be given together, and pricing may be empty', async () => {
    const all = Object.fromEntries(PRICES.map((price, index) => [price, index + 0.5]));
    assert.deepEqual((await accepted(withPricing(all))).pricing, all);
    assert.deepEqual((await accepted(withPricing({}))).pricing, {});
    assert.equal((await accepted(withPricing(null))).pricing, null);
  });

  test('pricing is an object and nothing else', async () => {
    for (const pricing of [[], [1], 'free', 0, 3.5, true, false])
      await refused(withPricing(pricing), 'pricing');
  });

  test('up to 10 further members of pricing are numbers or short strings', async () => {
    const extra = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`extra ${String(index)}`, index - 5]),
    );
    const all = Object.fromEntries(PRICES.map((price) => [price, 1]));
    assert.deepEqual((await accepted(withPricing({ ...all, ...extra }))).pricing, { ...all, ...extra });
    await refused(withPricing({ ...extra, another: 1 }), 'pricing');
    for (const value of [0, -3.5, 1e300, '', 'per hour', 'x'.repeat(64), '😀'.repeat(64)]) {
      assert.deepEqual((await accepted(withPricing({ note: value }))).pricing, { note: value });
    }
    for (const value of ['x'.repeat(65), '😀'.repeat(65), true, false, null, [], ['x'], {}, { amount: 1 }]) {
      await refused(withPricing({ note: value }), 'pricing.note');
    }
    await refused(written('pricing', '{"note":1e400}'), 'pricing.note');
  });

  test('ADV_002 is for resources, ADV_001 for everything else', async () => {
    const badResources = { cpu: 0, memory: 8, storage: 40 };
    assertError(await post({ ...ADVERTISEMENT, resources: badResources }), 400, 'ADV_002', /^resources\.cpu/);
    assertError(await post({ ...ADVERTISEMENT, name: '' }), 400, 'ADV_001', /^name/);
    assertError(await post({ ...ADVERTISEMENT, pricing: { note: true } }), 400, 'ADV_001', /^pricing\.note/);
  });

  test('__proto__ changes nothing but what it says, at whatever level it is', async () => {
    const plain = await accepted(ADVERTISEMENT);
    const polluted = '{"polluted":true,"cpu":9,"name":"polluted","usd_per_core_month":1}';
    assert.deepEqual((await accepted(written('__proto__', polluted))).resources, plain.resources);
    const published = await accepted(written('later', `{"__proto__":${polluted}}`));
    assert.equal(published.name, null);
    // It is no name that a resource or a price may have: refused or dropped, but never published.
    for (const value of [polluted, '1', 'null', '"text"']) {
      for (const text of [
        JSON.stringify(ADVERTISEMENT).replace('"cpu"', `"__proto__":${value},"cpu"`),
        written('pricing', `{"__proto__":${value}}`),
      ]) {
        const answer = await post(text);
        if (answer.status !== 200) continue;
        assert.deepEqual(answer.body.resources, plain.resources);
        assert.deepEqual(Object.keys(answer.body.pricing ?? {}), []);
      }
    }
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    assert.equal((await accepted(ADVERTISEMENT)).name, null);
  });

  test('what every object has cannot stand in for what was not sent', async () => {
    const onlyProto = `{"__proto__":${JSON.stringify(ADVERTISEMENT)}}`;
    assertError(await post(onlyProto), 400, 'ADV_001', /ip_address/);
    const inherited = JSON.stringify({ ...ADVERTISEMENT, resources: 0 }).replace(
      '"resources":0',
      '"resources":{"__proto__":{"cpu":4,"memory":8,"storage":40}}',
    );
    assertError(await post(inherited), 400, 'ADV_002', /resources/);
    for (const name of ['constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
      assert.deepEqual((await accepted(withPricing({ [name]: 1 }))).pricing, { [name]: 1 });
      assert.ok(!Object.hasOwn(await accepted({ ...ADVERTISEMENT, [name]: 1 }), name));
    }
  });
});
