import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from '../../support/properties.js';
import {
  assertError,
  Line,
  itemPath,
  onBothTransports,
  type PublishedAdvertisement,
} from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT } from '../../support/hubs/test-hub.js';

/** An advertisement with some members other than usual; undefined leaves one out. */
const variant = (members: Record<string, unknown>): object => ({ ...ADVERTISEMENT, ...members });
const withResources = (members: Record<string, unknown>): object =>
  variant({ resources: { ...ADVERTISEMENT.resources, ...members } });

onBothTransports('address, country and resources of an advertisement', {}, (hub) => {
  const key = new TestKey();
  const line = new Line(hub);
  const post = (advertisement: object | string) =>
    line.post<PublishedAdvertisement>(key, key.publicKey, advertisement);

  /** Expects a refusal whose message begins with the path of the member. */
  const refused = async (advertisement: object | string, code: string, member: string): Promise<void> => {
    const answer = await post(advertisement);
    assertError(answer, 400, code, new RegExp(`(?:^|; )${member}\\b`));
  };
  const accepted = async (advertisement: object | string): Promise<PublishedAdvertisement> => {
    const answer = await post(advertisement);
    assert.equal(answer.status, 200, `${JSON.stringify(advertisement)}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };

  test('every member that is needed is missed by its name', async () => {
    await refused(variant({ ip_address: undefined }), 'ADV_001', 'ip_address');
    await refused(variant({ country: undefined }), 'ADV_001', 'country');
    await refused(variant({ resources: undefined }), 'ADV_002', 'resources');
    for (const name of ['cpu', 'memory', 'storage']) {
      await refused(withResources({ [name]: undefined }), 'ADV_002', `resources.${name}`);
    }
  });

  test('null is no value for a member that is needed', async () => {
    await refused(variant({ ip_address: null }), 'ADV_001', 'ip_address');
    await refused(variant({ country: null }), 'ADV_001', 'country');
    await refused(variant({ resources: null }), 'ADV_002', 'resources');
    for (const name of ['cpu', 'memory', 'storage', 'gpu']) {
      await refused(withResources({ [name]: null }), 'ADV_002', `resources.${name}`);
    }
  });

  test('real addresses are accepted and come back as they were sent', async () => {
    for (const address of [
      '0.0.0.0',
      '1.2.3.4',
      '255.255.255.255',
      '192.168.1.100',
      '::',
      '::1',
      'fe80::1',
      '2001:db8::',
      '2001:db8::7',
      '2001:DB8::ABCD',
      '1:2:3:4:5:6:7:8',
      '1:2:3:4:5:6:7::',
      '::2:3:4:5:6:7:8',
      '::ffff:192.0.2.1',
      '64:ff9b::192.0.2.33',
      '1:2:3:4:5:6:192.0.2.1',
    ]) {
      assert.equal((await accepted(variant({ ip_address: address }))).ip_address, address);
    }
  });

  test('what is no address is refused', async () => {
    for (const address of [
      '',
      ' ',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.',
      '.1.2.3',
      '1..2.3',
      '256.1.1.1',
      '1.2.3.999',
      '01.2.3.4',
      '1.2.3.04',
      '192.168.001.100',
      '00.0.0.0',
      '0x7f.0.0.1',
      '0x7f000001',
      '2130706433',
      '127.1',
      '1.2.3.4:80',
      '1.2.3.4/32',
      ' 1.2.3.4',
      '1.2.3.4 ',
      '1.2.3.4\n',
      '+1.2.3.4',
      '-1.2.3.4',
      '1,2,3,4',
      '１.2.3.4',
      '1。2。3。4',
      '[::1]',
      '[2001:db8::7]:80',
      '2001:db8::7/64',
      'fe80::1%eth0',
      'fe80::1%25eth0',
      ':',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7:8::',
      ':1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:',
      '12345::',
      'g::1',
      '::1.2.3',
      '::ffff:256.0.0.1',
      '::ffff:01.2.3.4',
      '::1.2.3.4:5',
      ' ::1',
      '::1 ',
      'localhost',
      'example.org',
      'http://1.2.3.4',
    ]) {
      await refused(variant({ ip_address: address }), 'ADV_001', 'ip_address');
    }
    for (const address of [16843009, true, ['1.2.3.4'], { v4: '1.2.3.4' }]) {
      await refused(variant({ ip_address: address }), 'ADV_001', 'ip_address');
    }
  });

  test('addresses are judged as the operating system judges them', async () => {
    const group = fc.oneof(
      fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16)),
      fc.constant(''),
    );
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.array(group, { minLength: 2, maxLength: 9 }).map((groups) => groups.join(':')),
      fc
        .tuple(fc.array(group, { minLength: 1, maxLength: 7 }), fc.ipV4())
        .map(([g, v4]) => `${g.join(':')}:${v4}`),
      fc
        .array(fc.integer({ min: 0, max: 300 }), { minLength: 3, maxLength: 5 })
        .map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(address, async (text) => {
        const { status } = await post(variant({ ip_address: text }));
        assert.equal(status, isIP(text) === 0 ? 400 : 200, text);
      }),
      { numRuns: 80 },
    );
  });

  test('a country may be written in either case', async () => {
    for (const [written, published] of Object.entries({ SE: 'SE', se: 'SE', sE: 'SE', No: 'NO', xx: '' })) {
      if (published !== '') assert.equal((await accepted(variant({ country: written }))).country, published);
    }
  });

  test('what is no assigned two-letter code is refused', async () => {
    for (const country of [
      '',
      'S',
      'SWE',
      'XX',
      'xx',
      'ZZ',
      'AA',
      'QM',
      'EU',
      'SU',
      'AN',
      'ß',
      'ﬁ',
      'ſE',
      'İT',
      'ıt',
      'ＳＥ',
      'S\u0415',
      ' SE',
      'SE ',
      'SE\n',
      'S E',
      '46',
      '\ud800',
      'constructor',
      '__proto__',
    ]) {
      await refused(variant({ country }), 'ADV_001', 'country');
    }
    for (const country of [46, true, ['SE'], { code: 'SE' }]) {
      await refused(variant({ country }), 'ADV_001', 'country');
    }
  });

  test('cpu, memory and storage are integers between their bounds', async () => {
    const bounds = { cpu: 4096, memory: 65_536, storage: 10_000_000 };
    for (const [name, max] of Object.entries(bounds)) {
      for (const amount of [1, 2, max - 1, max]) {
        const published = await accepted(withResources({ [name]: amount }));
        assert.equal(published.resources[name], amount);
      }
      for (const amount of [0, -1, max + 1, 2 ** 53, 1.5, 0.999, '4', '', true, false, [4], {}, { $gt: 1 }]) {
        await refused(withResources({ [name]: amount }), 'ADV_002', `resources.${name}`);
      }
    }
  });

  test('numbers that JSON can write and a computer cannot hold are refused', async () => {
    for (const number of [
      '1e400',
      '-1e400',
      '1e309',
      '-0',
      '1e-400',
      '4.000000000000001',
      `4${'0'.repeat(400)}`,
    ]) {
      for (const name of ['cpu', 'memory', 'storage']) {
        const resources = { cpu: 4, memory: 8, storage: 40, [name]: 'HERE' };
        const text = JSON.stringify(variant({ resources })).replace('"HERE"', number);
        await refused(text, 'ADV_002', `resources.${name}`);
      }
    }
  });

  test('up to 13 further resources are integers of at least 0', async () => {
    const extra = Object.fromEntries(
      Array.from({ length: 13 }, (_, index) => [`extra_${String(index)}`, index]),
    );
    assert.deepEqual((await accepted(withResources(extra))).resources, {
      ...ADVERTISEMENT.resources,
      ...extra,
    });
    await refused(withResources({ ...extra, one_more: 1 }), 'ADV_002', 'resources');
    for (const amount of [0, 1, Number.MAX_SAFE_INTEGER]) {
      assert.equal((await accepted(withResources({ gpu: amount }))).resources['gpu'], amount);
    }
    for (const amount of [-1, 0.5, '1', true, null, [], {}, 2 ** 53]) {
      await refused(withResources({ gpu: amount }), 'ADV_002', 'resources.gpu');
    }
  });

  test('a further resource has a plain name', async () => {
    for (const name of ['a', 'gpu', 'gpu_2', 'x9_', 'a'.repeat(32), 'constructor', 'valueof']) {
      assert.equal((await accepted(withResources({ [name]: 3 }))).resources[name], 3, name);
    }
    for (const name of [
      '',
      'GPU',
      'Gpu',
      '2gpu',
      '_gpu',
      'gpu-2',
      'gpu.2',
      'gpu 2',
      'gpü',
      'gpu\n',
      'a'.repeat(33),
      'toString',
      'hasOwnProperty',
    ]) {
      await refused(withResources({ [name]: 3 }), 'ADV_002', 'resources');
    }
  });

  test('resources are an object and nothing else', async () => {
    for (const resources of [[], [4, 8, 40], 'cpu=4', 4, true]) {
      await refused(variant({ resources }), 'ADV_002', 'resources');
    }
  });

  test('a refusal names all that is wrong, so that one answer is enough', async () => {
    const answer = await post({
      ip_address: 'x',
      country: 'XX',
      resources: { cpu: 0, memory: 8 },
      platform: '',
    });
    assertError(answer, 400, 'ADV_001');
    const { message } = answer.body as unknown as { message: string };
    for (const member of ['ip_address', 'country', 'resources.cpu', 'resources.storage', 'platform']) {
      assert.ok(message.includes(member), `${member} in ${message}`);
    }
  });

  test('nothing that was refused is to be seen', async () => {
    const fresh = new TestKey();
    assertError(await hub().post(fresh, fresh.publicKey, withResources({ cpu: 0 })), 400, 'ADV_002');
    assertError(await hub().get(itemPath(fresh.publicKey)), 404, 'ADV_004');
  });
});
