import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterFromQuery, filterToQuery } from '../../src/client/index.js';
import { parseFilter } from '../../src/protocol/filters/filter.js';
import { filterCommands, providerCommands, shellWord } from '../../web/model/commands.js';
import { COLUMNS, DEFAULT_COLUMNS } from '../../web/model/columns.js';
import { conditionsOf, relaxations, without } from '../../web/model/conditions.js';
import { nameOf } from '../../web/model/name.js';
import { formatPlace, PAGES, readPlace } from '../../web/model/place.js';
import { formatView, readView } from '../../web/model/view.js';
import { filter } from '../support/data/arbitraries.js';
import fc from '../support/properties.js';

/** Objects as programs make them. */
const ORDINARY = { noNullPrototype: true } as const;

const columnName = fc.constantFrom(...COLUMNS.map(({ name }) => name), 'attr.gpu_model', 'attr.disk');

/**
 * Some filters no query can say: a comma in a value, or a text that reads as a number. An attribute that is to be one number comes back
 * as the range of that number.
 */
const sayable = filter.map(parseFilter).filter((asked) => {
  try {
    const query = filterToQuery(asked);
    return JSON.stringify(filterFromQuery(query)) === JSON.stringify(asked) || !query.includes('.min=');
  } catch {
    return false;
  }
});

test('an address gives back the view that it was made of', () => {
  const view = fc.record(
    {
      filter: sayable,
      sort: fc.record({ column: columnName, descending: fc.boolean() }, ORDINARY),
      columns: fc.uniqueArray(columnName, { minLength: 1 }),
    },
    ORDINARY,
  );
  fc.assert(
    fc.property(view, (given) => {
      const read = readView(formatView(given));
      assert.deepEqual(read, { view: given, problem: null });
      const place = readPlace(formatPlace({ page: 'providers', providerId: null, query: formatView(given) }));
      assert.equal(place.query, formatView(given));
    }),
  );
});

test('a name of which nothing is seen is none', () => {
  for (const name of ['   ', '\u200b\u2060', '\u3164', '\u2800\u00a0', '\u202e', null])
    assert.equal(nameOf({ name }), null, JSON.stringify(name));
  for (const name of [' a', '日本', '\u{1f468}\u200d\u{1f469}', '.']) assert.equal(nameOf({ name }), name);
});

test('what an address asks for that there is not is told, and the rest holds', () => {
  const { view, problem } = readView('cpu=none&sort=-memory&columns=cpu,nonsense,cpu');
  assert.match(problem ?? '', /cpu/);
  assert.deepEqual(view, { filter: {}, sort: { column: 'memory', descending: true }, columns: ['cpu'] });
  assert.match(readView('colour=red').problem ?? '', /colour/);
  assert.deepEqual(readView('sort=&columns=').view.columns, DEFAULT_COLUMNS);
  assert.equal(formatView(readView('').view), '');
});

test('every address leads somewhere', () => {
  for (const page of PAGES) assert.equal(readPlace(`#/${page}?a=b?c`).page, page);
  assert.deepEqual(readPlace('#/provider/a%2Fb%3F?cpu=4'), {
    page: 'provider',
    providerId: 'a/b?',
    query: 'cpu=4',
  });
  for (const text of [
    '',
    '#',
    '#/',
    '#/nowhere',
    '#/provider',
    '#/provider/',
    '#/provider/%zz',
    '#__proto__',
  ])
    assert.deepEqual(
      { ...readPlace(text), query: '' },
      { page: 'providers', providerId: null, query: '' },
      text,
    );
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.webQueryParameters(), (providerId, query) => {
      const place = { page: 'provider', providerId, query } as const;
      assert.deepEqual(readPlace(formatPlace(place)), place);
    }),
  );
});

test('each condition of a filter is named, and can be taken away by that name', () => {
  fc.assert(
    fc.property(filter.map(parseFilter), (asked) => {
      const conditions = conditionsOf(asked);
      assert.ok(conditions.every(({ text }) => text !== '' && !text.includes('undefined')));
      const facts = Object.keys(asked.min ?? {}).length + Object.keys(asked.attributes ?? {}).length;
      const { min: _, attributes: __, ...others } = asked;
      assert.equal(conditions.length, Object.keys(others).length + facts);
      for (const { member } of conditions) {
        const rest = conditionsOf(without(asked, member));
        assert.deepEqual(
          rest.map((condition) => condition.member),
          conditions.map((condition) => condition.member).filter((other) => other !== member),
        );
      }
      assert.deepEqual(conditions.map(({ member }) => member).reduce(without, asked), {});
    }),
  );
});

test('without matches the conditions are named that keep most out; else those that the nearest miss', () => {
  const empty = { cursor: 'e:1', providers: 9, matched: 0, rejected_by: {}, nearest: [] };
  assert.deepEqual(relaxations({ ...empty, only_by: { cpu: 2, country: 5, memory: 0 } }), [
    { members: ['country'], gain: 5 },
    { members: ['cpu'], gain: 2 },
  ]);
  const misses = (...members: string[]) => ({
    provider_id: 'p',
    misses: members.map((member) => ({ member, asked: 8, offered: 4 })),
  });
  const nearest = [misses('memory', 'cpu'), misses('cpu', 'memory'), misses('cpu', 'country', 'memory')];
  assert.deepEqual(relaxations({ ...empty, only_by: {}, nearest }), [
    { members: ['cpu', 'memory'], gain: 2 },
    { members: ['country', 'cpu', 'memory'], gain: 1 },
  ]);
  assert.deepEqual(relaxations({ ...empty, only_by: {} }), []);
});

test('commands hold whatever ids and filters hold', () => {
  assert.equal(shellWord("it's $HOME"), `'it'\\''s $HOME'`);
  const [curl] = providerCommands('https://hub.example', "a'b c");
  assert.equal(curl?.text, `curl 'https://hub.example/api/v1/advertisements/a'\\''b%20c'`);
  const [list] = filterCommands('https://hub.example', { cpu: 4, country: ['NO', 'SE'] });
  assert.match(list?.text ?? '', /^curl '.*\?cpu=4&country=NO&country=SE&sort=price&limit=10'$/);
});
