import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { ProtocolError } from '../../../src/protocol/errors.js';
import type { AttributeValue } from '../../../src/protocol/attributes.js';
import type { AskedAttribute } from '../../../src/protocol/filters/facts.js';
import { type Filter, parseFilter } from '../../../src/protocol/filters/filter.js';
import {
  formatPageCursor,
  type PageCursor,
  parseListQuery,
} from '../../../src/protocol/filters/list-query.js';
import { filter } from '../../support/data/arbitraries.js';

function refusal(search: string): string {
  try {
    parseListQuery(search);
  } catch (error) {
    assert.ok(error instanceof ProtocolError);
    assert.equal(error.code, 'ADV_002');
    return error.message;
  }
  assert.fail(`was accepted: ${search.slice(0, 200)}`);
}

function factParametersOf({ min = {}, attributes = {} }: Filter): string[] {
  const parameter = (name: string, value: AttributeValue): string =>
    `${name}=${encodeURIComponent(String(value))}`;
  return [
    ...Object.entries(min).map(([name, least]) => parameter(`min.${name}`, least)),
    ...Object.entries(attributes).flatMap(([name, asked]) => {
      if (Array.isArray(asked)) return asked.map((one) => parameter(`attr.${name}`, one));
      const { min: least, max: most } = asked;
      return [
        ...(least === undefined ? [] : [parameter(`attr.${name}.min`, least)]),
        ...(most === undefined ? [] : [parameter(`attr.${name}.max`, most)]),
      ];
    }),
  ];
}

/** What a filter becomes where texts, numbers and booleans cannot be told apart. */
function asInQuery(plain: Filter): Filter {
  if (plain.attributes === undefined) return plain;
  const both = (value: AttributeValue): AttributeValue[] => {
    const text = String(value);
    if (text === 'true' || text === 'false') return [text, text === 'true'];
    return Number.isNaN(Number(text)) ? [text] : [text, Number(text)];
  };
  const attributes = Object.entries(plain.attributes).map(([name, asked]): [string, AskedAttribute] => [
    name,
    Array.isArray(asked) ? asked.flatMap(both) : asked,
  ]);
  return parseFilter({ ...plain, attributes: Object.fromEntries(attributes) });
}

/** The parameters of a filter, lists either repeated or comma-separated. */
function parametersOf(from: Filter, repeated: boolean): string[] {
  const { min: _min, attributes: _attributes, ...others } = from;
  const own = Object.entries(others).flatMap(([name, value]) => {
    if (!Array.isArray(value)) return [`${name}=${encodeURIComponent(String(value))}`];
    const texts = value.map((text) => encodeURIComponent(text));
    return repeated ? texts.map((text) => `${name}=${text}`) : [`${name}=${texts.join(',')}`];
  });
  return [...own, ...factParametersOf(from)];
}

test('a filter in the query means the same as in a subscription, lists repeated or with commas, in any order', () => {
  fc.assert(
    fc.property(filter, fc.boolean(), fc.nat(7), (plain, repeated, turn) => {
      const parameters = parametersOf(plain, repeated);
      const turned = [...parameters.slice(turn), ...parameters.slice(0, turn)];
      assert.deepEqual(parseListQuery(turned.join('&')), {
        filter: asInQuery(plain),
        sort: 'id',
        limit: null,
        after: null,
        wait: null,
      });
    }),
    { numRuns: 500 },
  );
});

test('no parameters ask for everything, in the order of ids', () => {
  for (const search of ['', '&', '&&'])
    assert.deepEqual(parseListQuery(search), {
      filter: {},
      sort: 'id',
      limit: null,
      after: null,
      wait: null,
    });
});

test('percent-encoding and plus signs are read as forms write them', () => {
  assert.deepEqual(parseListQuery('platform=a+b').filter, { platform: ['a b'] });
  assert.deepEqual(parseListQuery('platform=a%2Bb').filter, { platform: ['a+b'] });
  assert.deepEqual(parseListQuery('plat%66orm=%C3%A9').filter, { platform: ['é'] });
  assert.deepEqual(parseListQuery('payments_network=%22a%22').filter, { payments_network: ['"a"'] });
  for (const search of ['cpu=%zz', '%zz=1', 'platform=%C3', 'platform=%'])
    assert.match(refusal(search), /percent-encoding/);
});

test('numbers are plain decimals', () => {
  assert.equal(parseListQuery('cpu=4').filter.cpu, 4);
  assert.equal(parseListQuery('max_usd_per_month=0.5').filter.max_usd_per_month, 0.5);
  const wrong = ['', ' 4', '4 ', '+4', '-4', '04', '4e0', '0x4', '.5', '5.', '1,000', 'NaN', 'Infinity', '٤'];
  for (const value of wrong)
    assert.match(
      refusal(`cpu=${encodeURIComponent(value)}`),
      /^invalid filter: cpu: must be a plain decimal/,
    );
  assert.match(refusal('cpu=4.5'), /cpu: must be an integer/);
  assert.match(refusal('cpu=0'), /cpu/);
  assert.match(refusal('cpu=4097'), /cpu/);
  assert.match(refusal(`max_usd_per_month=${'9'.repeat(400)}`), /max_usd_per_month/);
});

test('an unknown parameter is refused by its name, never dropped', () => {
  const names = ['gpu', 'CPU', 'min_cpu', 'cpu[]', '__proto__', 'constructor', 'toString', 'filter', ''];
  for (const name of names) {
    const message = refusal(`cpu=1&${encodeURIComponent(name)}=1`);
    assert.ok(message.includes(`unknown parameter ${JSON.stringify(name)}`), message);
  }
});

test('a number or a choice that is given twice is refused', () => {
  for (const name of ['cpu', 'memory', 'storage', 'max_usd_per_month', 'max_glm_per_month', 'limit'])
    assert.match(refusal(`${name}=1&${name}=1`), new RegExp(`${name} is given twice`));
  assert.match(refusal('status=live&status=live'), /status is given twice/);
  assert.match(refusal('verified=true&verified=true'), /verified is given twice/);
  for (const value of ['', 'false', 'TRUE', '1'])
    assert.match(refusal(`verified=${value}`), /verified: can only be true/);
  assert.match(refusal('sort=price&sort=price'), /sort is given twice/);
  assert.match(refusal('after=a&after=a'), /after is given twice/);
});

test('an empty or unassigned value in a list is refused, not ignored', () => {
  for (const search of [
    'country=',
    'country',
    'country=SE,',
    'country=,SE',
    'country=SE,,NO',
    'country=XX',
    'country=SE&country=',
  ])
    assert.match(refusal(search), /^invalid filter: country/);
  for (const name of ['platform', 'payments_network']) assert.match(refusal(`${name}=`), new RegExp(name));
});

test('sort, limit and status have only the values of the contract', () => {
  assert.equal(parseListQuery('sort=price').sort, 'price');
  assert.equal(parseListQuery('sort=price_glm').sort, 'price_glm');
  assert.equal(parseListQuery('sort=updated').sort, 'updated');
  for (const value of ['', 'id', 'PRICE', 'provider_id'])
    assert.match(refusal(`sort=${value}`), /sort: must be/);
  assert.equal(parseListQuery('limit=1').limit, 1);
  assert.equal(parseListQuery('limit=1000').limit, 1000);
  for (const value of ['0', '1001', '1.5'])
    assert.match(refusal(`limit=${value}`), /limit: must be an integer from 1/);
  for (const value of ['', 'suspect', 'LIVE']) assert.match(refusal(`status=${value}`), /status/);
});

test('a query string over 8 KiB is refused', () => {
  assert.match(refusal(`platform=${'a'.repeat(8192)}`), /8192 bytes/);
});

const pageCursor = fc.record(
  {
    sort: fc.constantFrom('id', 'price', 'price_glm', 'updated'),
    key: fc.option(fc.oneof(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), fc.nat())),
    providerId: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/),
  },
  { noNullPrototype: true },
) as fc.Arbitrary<PageCursor>;

test('a page cursor is opaque, fits into a URL as it is, and is read back exactly', () => {
  fc.assert(
    fc.property(pageCursor, (cursor) => {
      const after = formatPageCursor(cursor);
      assert.match(after, /^[A-Za-z0-9_-]+$/);
      const sort = cursor.sort === 'id' ? '' : `&sort=${cursor.sort}`;
      assert.deepEqual(parseListQuery(`after=${after}${sort}`).after, cursor);
    }),
  );
});

test('a page cursor of another order, or one that was made up, is refused', () => {
  const price = formatPageCursor({ sort: 'price', key: 1.5, providerId: 'a' });
  assert.match(refusal(`after=${price}`), /after: is not a cursor of this list/);
  assert.match(refusal(`after=${price}&sort=updated`), /after: is not a cursor/);
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const madeUp = [
    [],
    {},
    null,
    5,
    ['id'],
    ['id', null],
    ['id', 'x', 'a'],
    ['id', null, 5],
    ['id', null, 'a', 1],
  ];
  for (const value of [...madeUp, ['name', null, 'a'], ['id', null, 'a'.repeat(129)]])
    assert.match(refusal(`after=${encoded(value)}`), /after: is not a cursor/, JSON.stringify(value));
  for (const text of ['', 'x', '%25', '\u{1f600}', 'A'.repeat(600)])
    assert.match(refusal(`after=${encodeURIComponent(text)}`), /after: is not a cursor/);
});

test('no query string makes the parser throw anything but a refusal', () => {
  const word = fc.constantFrom(
    'cpu',
    'country',
    'after',
    'sort',
    '=',
    '&',
    ',',
    '%',
    '%20',
    '+',
    '1',
    'SE',
    'é',
    '"',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      try {
        parseListQuery(words.join(''));
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('attributes and further resources are asked for by names that providers choose', () => {
  const asked = (search: string): Filter => parseListQuery(search).filter;
  assert.deepEqual(asked('min.gpu=2&min.tpu=0'), { min: { gpu: 2, tpu: 0 } });
  assert.deepEqual(asked('attr.gpu_model=RTX+4090,A100&attr.gpu_model=H100'), {
    attributes: { gpu_model: ['A100', 'H100', 'RTX 4090'] },
  });
  assert.deepEqual(asked('attr.a=5&attr.b=true&attr.c=-1.5e3&attr.d=05'), {
    attributes: { a: ['5', 5], b: ['true', true], c: ['-1.5e3', -1500], d: ['05'] },
  });
  assert.deepEqual(asked('attr.min.max=2'), {
    attributes: { min: { max: 2 } },
  });
  assert.deepEqual(asked('attr.x.max=1e3&attr.x.min=-5'), { attributes: { x: { min: -5, max: 1000 } } });
});

test('what is wrong with an attribute or a further resource is said of its parameter', () => {
  const wrong: [search: string, message: RegExp][] = [
    ['attr.GPU=1', /attr\.GPU: is not an attribute name/],
    ['attr.=1', /attr\.: is not an attribute name/],
    ['attr.a.b=1', /attr\.a\.b: is not an attribute name/],
    ['attr.x=', /attributes\.x.*1 to 64 characters/],
    ['attr.x.min=abc', /attr\.x\.min: must be a number/],
    ['attr.x.min=1e999', /attr\.x\.min: must be a number/],
    ['attr.x.min=1&attr.x.min=2', /attr\.x\.min is given twice/],
    ['attr.x=1&attr.x.min=2', /attr\.x: ask for values or for a range/],
    ['attr.x.min=2&attr.x=1', /attr\.x: ask for values or for a range/],
    ['attr.x.min=2&attr.x.max=1', /min of a range must not be more than its max/],
    ['min.gpu=-1', /min\.gpu: must be an integer/],
    ['min.gpu=1.5', /min\.gpu: must be an integer/],
    ['min.gpu=1&min.gpu=1', /min\.gpu is given twice/],
    ['min.cpu=1', /min\.cpu: is asked for as cpu/],
    ['min.GPU=1', /min\.GPU: is not a resource name/],
    ['min=1', /unknown parameter "min"/],
    ['attributes=1', /unknown parameter "attributes"/],
    [
      Array.from({ length: 17 }, (_, at) => `${at % 2 === 0 ? 'min' : 'attr'}.x${String(at)}=1`).join('&'),
      /more than 16 attributes and further resources/,
    ],
  ];
  for (const [search, message] of wrong) assert.match(refusal(search), message, search);
});

test('a fact that is named like a member of every object is asked for like any other', () => {
  const { filter: asked } = parseListQuery('attr.constructor=x&min.constructor=2');
  assert.deepEqual(asked.attributes, { constructor: ['x'] });
  assert.deepEqual(asked.min, { constructor: 2 });
  assert.match(refusal('min.constructor=1&min.constructor=2'), /given twice/);
});
