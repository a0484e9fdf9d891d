import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import i18nIsoCountries from 'i18n-iso-countries';
import { assertError, Line, LIST, onBothTransports } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { exchange, rawRequest } from '../../support/clients/raw-http.js';

onBothTransports('requests for a list that make no sense', {}, (hub) => {
  const line = new Line(hub);
  before(() => hub().post(new TestKey(), 'present'));

  const refused = async (query: string, name: string): Promise<void> => {
    assertError(await line.get(`${LIST}?${query}`), 400, 'ADV_002', new RegExp(`\\b${name}\\b`));
  };
  const accepted = async (query: string): Promise<void> => {
    const { status, body } = await line.get(`${LIST}?${query}`);
    assert.equal(status, 200, `${query}: ${JSON.stringify(body)}`);
  };

  test('an unknown parameter is named, not ignored', async () => {
    for (const name of [
      'gpu',
      'CPU',
      'Cpu',
      'cpus',
      'cpu ',
      'cpu[]',
      'resources.cpu',
      'countries',
      'provider_id',
      'is_verified',
      'offset',
      'page',
      'max_eur_per_month',
      'name',
      '__proto__',
      'constructor',
      'toString',
    ]) {
      const answer = await hub().get(`${LIST}?cpu=1&${encodeURIComponent(name)}=1`);
      assertError(answer, 400, 'ADV_002');
      assert.ok((answer.body as { message: string }).message.includes(name), name);
    }
    await refused('typo', 'typo');
    await refused('cpu=1&&typo=', 'typo');
    assertError(await hub().get(`${LIST}?=1`), 400, 'ADV_002', /unknown parameter ""/);
  });

  test('a second question mark belongs to the name', async () => {
    assertError(await hub().get(`${LIST}??cpu=1`), 400, 'ADV_002', /\?cpu/);
  });

  test('a number, a sort, a status or a cursor that is given twice is an error, even twice the same', async () => {
    for (const [name, value] of [
      ['cpu', '1'],
      ['memory', '2'],
      ['storage', '3'],
      ['max_usd_per_month', '4'],
      ['limit', '5'],
      ['status', 'live'],
      ['sort', 'price'],
    ] as const) {
      await accepted(`${name}=${value}`);
      await refused(`${name}=${value}&${name}=${value}`, name);
      await refused(
        `${name}=${value}&country=SE&%${name.charCodeAt(0).toString(16)}${name.slice(1)}=${value}`,
        name,
      );
    }
    await refused('after=x&after=x', 'after');
  });

  test('amounts are integers of at least 1 within what can be advertised', async () => {
    const bounds = { cpu: 4096, memory: 65_536, storage: 10_000_000 };
    for (const [name, max] of Object.entries(bounds)) {
      for (const value of ['1', '2', String(max)]) await accepted(`${name}=${value}`);
      for (const value of [
        '',
        '0',
        '-1',
        '+1',
        '%2B1',
        '1.5',
        '01',
        '1e1',
        '0x1',
        'Infinity',
        'NaN',
        'true',
        'one',
        '1,2',
        '1;2',
        '1%20',
        '%201',
        '1%00',
        '١',
        String(max + 1),
        '9'.repeat(400),
      ]) {
        await refused(`${name}=${value}`, name);
      }
      await refused(name, name);
    }
  });

  test('a price limit is a finite number of at least 0', async () => {
    for (const value of ['0', '0.5', '3', '1000000', '0.000000001'])
      await accepted(`max_usd_per_month=${value}`);
    for (const value of [
      '',
      '-1',
      '-0.1',
      '.5',
      '5.',
      '1,5',
      '1e3',
      '1e400',
      'NaN',
      'Infinity',
      '$5',
      '9'.repeat(400),
    ]) {
      await refused(`max_usd_per_month=${value}`, 'max_usd_per_month');
    }
  });

  test('limit is an integer from 1 to 1000', async () => {
    for (const value of ['1', '10', '1000']) await accepted(`limit=${value}`);
    for (const value of ['', '0', '-1', '1001', '1.5', 'all', '1e2'])
      await refused(`limit=${value}`, 'limit');
  });

  test('status can only be live, and sort only what there is', async () => {
    for (const value of ['', 'suspect', 'LIVE', 'live,suspect', 'all'])
      await refused(`status=${value}`, 'status');
    for (const value of ['', 'id', 'provider_id', 'Price', '-price', 'price,updated', 'created']) {
      await refused(`sort=${value}`, 'sort');
    }
  });

  test('a country that is not assigned is an error, not an empty list', async () => {
    for (const value of [
      '',
      'XX',
      'xx',
      'S',
      'SWE',
      'SE,XX',
      'SE,',
      ',SE',
      'SE,,NO',
      'SE;NO',
      'SE NO',
      '%C3%9F',
      '*',
    ]) {
      await refused(`country=${value}`, 'country');
    }
    await refused('country=SE&country=XX', 'country');
    await refused('country=SE&country=', 'country');
    await refused('country', 'country');
    const answer = await hub().get<{ message: string }>(`${LIST}?country=SE,XX`);
    assert.match(answer.body.message, /ISO 3166-1/, 'the message says what would be right');
  });

  test('exactly the assigned countries are known, Kosovo, and two other codes of the UK and Greece', async () => {
    const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
    const pairs = letters.flatMap((first) => letters.map((second) => first + second));
    const known: string[] = [];
    for (const code of pairs) {
      if ((await line.get(`${LIST}?country=${code}`)).status === 200) known.push(code);
    }
    // That package also knows Kosovo by the code XK, as the hub does.
    const assigned = Object.keys(i18nIsoCountries.getAlpha2Codes());
    const aliases = ['UK', 'EL'];
    assert.deepEqual(known, [...assigned, ...aliases].sort());
  });

  test('platforms and payment networks follow the rules of advertisements', async () => {
    for (const [name, max] of [
      ['platform', 32],
      ['payments_network', 64],
    ] as const) {
      for (const value of ['x', 'x'.repeat(max), '%F0%9F%98%80'.repeat(max)])
        await accepted(`${name}=${value}`);
      for (const value of ['', 'x'.repeat(max + 1), 'x,', 'x,,y', '%F0%9F%98%80'.repeat(max + 1), '%00']) {
        await refused(`${name}=${value}`, name);
      }
      const answer = await hub().get<{ message: string }>(`${LIST}?${name}=`);
      assert.match(answer.body.message, /characters/, 'the message says what would be right');
    }
  });

  test('a filter may have many values, within reason', async () => {
    const countries = Object.keys(i18nIsoCountries.getAlpha2Codes());
    await accepted(`country=${countries.join()}`);
    await accepted(countries.map((code) => `country=${code}`).join('&'));
    await refused(`country=${Array(257).fill('SE').join()}`, 'country');
  });

  test('broken percent-encoding is an error', async () => {
    for (const query of [
      'cpu=%',
      'cpu=%3',
      'cpu=%zz',
      'platform=%c3%28',
      'platform=%ff',
      '%zz=1',
      'platform=a%',
    ]) {
      assertError(await hub().get(`${LIST}?${query}`), 400, 'ADV_002', /percent-encoding/);
    }
  });

  test('bytes that a URL cannot have are an error or mean themselves, and never break anything', async () => {
    for (const target of [
      '?platform=\u00e5',
      '?platform="x"',
      '?platform=<x>',
      '?platform={x}|\\^`',
      '?\u00ff=1',
    ]) {
      const answer = await exchange(hub().hub.port, rawRequest('GET', LIST + target));
      if (answer.status === 200) assert.deepEqual(answer.body, []);
      else assert.equal(answer.status, 400, target);
    }
  });

  test('a query may have 8 KiB', async () => {
    const exact = `platform=${'x,'.repeat(100)}x`;
    await accepted(exact + '&'.repeat(8192 - exact.length));
    assertError(
      await hub().get(`${LIST}?${exact}${'&'.repeat(8193 - exact.length)}`),
      400,
      'ADV_002',
      /8192/,
    );
  });
});
