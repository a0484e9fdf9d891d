import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from 'commander';
import { filterOf, withFilterFlags } from '../../src/cli/options.js';
import { buildOpenApi } from '../../src/http/openapi.js';
import { type ConditionName, CONDITION_NAMES, CONDITIONS } from '../../src/protocol/filters/conditions.js';
import { type Filter, parseFilter } from '../../src/protocol/filters/filter.js';
import { parseListQuery } from '../../src/protocol/filters/list-query.js';

/** What each condition is asked with here: a new one needs a line, and then has to work at every door. */
const ASKED: Required<Filter> = {
  cpu: 4,
  memory: 8,
  storage: 100,
  country: ['NO', 'SE'],
  platform: ['arm64'],
  payments_network: ['holesky', 'polygon'],
  max_usd_per_month: 12.5,
  max_glm_per_month: 0.25,
  not_country: ['DE', 'FR'],
  exclude: ['a', 'b'],
  status: 'live',
  verified: true,
};

function flagsFor(name: ConditionName): string[] {
  const [flag = ''] = CONDITIONS[name].flag.form.split(' ');
  return CONDITIONS[name].kind === 'only' ? [flag] : [flag, String(ASKED[name])];
}

test('a condition means the same as a member of a filter, a query parameter and a flag, and is described', () => {
  const { paths } = buildOpenApi() as {
    paths: Record<string, { get: { parameters: { name: string; description?: string }[] } }>;
  };
  const described = new Map(
    paths['/api/v1/advertisements']!.get.parameters.map(({ name, description }) => [name, description]),
  );
  for (const name of CONDITION_NAMES) {
    const filter = { [name]: ASKED[name] };
    assert.deepEqual(parseFilter(filter), filter);
    assert.deepEqual(parseListQuery(`${name}=${String(ASKED[name])}`).filter, filter);
    const command = withFilterFlags(new Command()).exitOverride();
    command.parse(flagsFor(name), { from: 'user' });
    assert.deepEqual(filterOf(command.opts()), filter);
    assert.equal(described.get(name), CONDITIONS[name].description);
  }
});

test('no flags ask for everything', () => {
  const command = withFilterFlags(new Command()).parse([], { from: 'user' });
  assert.deepEqual(filterOf(command.opts()), {});
});
