import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from 'commander';
import { filterOf, withFilterFlags } from '../../src/cli/options.js';
import { buildOpenApi } from '../../src/http/descriptions/openapi.js';
import { type ConditionName, CONDITION_NAMES, CONDITIONS } from '../../src/protocol/filters/conditions.js';
import { type Filter, parseFilter } from '../../src/protocol/filters/filter.js';
import { isNamedByProviders, parseListQuery, takesMany } from '../../src/protocol/filters/list-query.js';

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
  ip_confirmed: true,
  min: { gpu: 2 },
  attributes: { gpu_model: ['RTX 4090'] },
};

/** How those are written whose names providers choose. */
const NAMED: Partial<Record<ConditionName, { flag: string; query: string; described: string }>> = {
  min: { flag: 'gpu=2', query: 'min.gpu=2', described: 'min.<resource>' },
  attributes: {
    flag: 'gpu_model=RTX 4090',
    query: 'attr.gpu_model=RTX+4090',
    described: 'attr.<name>',
  },
};

/** How all others are written. */
function textOf(name: ConditionName): string {
  const value = ASKED[name];
  return typeof value === 'object' ? Object.values(value).join(',') : String(value);
}

function flagsFor(name: ConditionName): string[] {
  const [flag = ''] = CONDITIONS[name].flag.form.split(' ');
  return CONDITIONS[name].kind === 'only' ? [flag] : [flag, NAMED[name]?.flag ?? textOf(name)];
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
    assert.deepEqual(parseListQuery(NAMED[name]?.query ?? `${name}=${textOf(name)}`).filter, filter);
    const command = withFilterFlags(new Command()).exitOverride();
    command.parse(flagsFor(name), { from: 'user' });
    assert.deepEqual(filterOf(command.opts()), filter);
    const { description } = CONDITIONS[name];
    const shown = described.get(NAMED[name]?.described ?? name);
    // Parameters that providers name are described by themselves.
    if (isNamedByProviders(name)) assert.ok(shown !== undefined && shown.length > 20, name);
    else assert.equal(shown, takesMany(name) ? `${description}; repeated or comma-separated` : description);
  }
});

function asked(...flags: string[]): unknown {
  const command = withFilterFlags(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse(flags, { from: 'user' });
  return filterOf(command.opts());
}

test('attributes are asked for by value, by several values and by range', () => {
  assert.deepEqual(asked('--attr', 'gpu_model=RTX 4090', '--attr', 'gpu_model=A100'), {
    attributes: { gpu_model: ['RTX 4090', 'A100'] },
  });
  assert.deepEqual(asked('--attr', 'cuda=12', '--attr', 'tee=true', '--attr', 'note=a=b:c'), {
    attributes: { cuda: ['12', 12], tee: ['true', true], note: ['a=b:c'] },
  });
  assert.deepEqual(asked('--attr', 'bandwidth_mbps:100..', '--attr', 'a:..-5', '--attr', 'b:0.5..1e3'), {
    attributes: { bandwidth_mbps: { min: 100 }, a: { max: -5 }, b: { min: 0.5, max: 1000 } },
  });
  for (const wrong of ['gpu_model', '=x', 'a:5', 'a:..', 'a:x..', 'a:1..2..3'])
    assert.throws(() => asked('--attr', wrong), /It has to be name=value/, wrong);
  assert.throws(() => asked('--attr', 'a=1', '--attr', 'a:1..'), /not for both/);
});

test('--gpu is short for --min gpu', () => {
  assert.deepEqual(asked('--gpu', '1'), { min: { gpu: 1 } });
  assert.deepEqual(asked('--min', 'tpu=4', '--gpu', '2'), { min: { tpu: 4, gpu: 2 } });
  assert.throws(() => asked('--min', 'gpu'), /name=amount/);
});

test('no flags ask for everything', () => {
  const command = withFilterFlags(new Command()).parse([], { from: 'user' });
  assert.deepEqual(filterOf(command.opts()), {});
});
