import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { CodecName } from '../../support/hubs/test-hub.js';
import { forEachPair, greet, Provider, refused, unique, useHub } from '../websocket-support.js';
import { assertIsList, Watcher } from '../websocket-watcher.js';

const FLEET: Record<string, object> = {
  'de-suspect': {
    country: 'DE',
    resources: { cpu: 16, memory: 32, storage: 200 },
    platform: 'x86_64',
    pricing: { usd_per_core_month: 2, usd_per_gb_ram_month: 2, usd_per_gb_storage_month: 0.25 },
  },
  'fr-unpriced': { country: 'FR', resources: { cpu: 8, memory: 16, storage: 100 }, platform: 'x86_64' },
  'se-large': {
    country: 'SE',
    resources: { cpu: 64, memory: 256, storage: 2000, gpu: 4 },
    platform: 'arm64',
    attributes: { gpu_model: 'RTX 4090', bandwidth_mbps: 1000, tee: true, rank: '1' },
    endpoint: { port: 22 },
    payments_network: 'mainnet',
    pricing: { usd_per_core_month: 10, usd_per_gb_ram_month: 5, usd_per_gb_storage_month: 1 },
  },
  'se-small': {
    country: 'SE',
    resources: { cpu: 2, memory: 4, storage: 20, gpu: 0 },
    platform: 'x86_64',
    attributes: { gpu_model: 'none', bandwidth_mbps: 99.5, tee: 'true', rank: 1 },
    payments_network: 'holesky',
    pricing: { usd_per_core_month: 1, usd_per_gb_ram_month: 1, usd_per_gb_storage_month: 0.5 },
  },
  'us-glm': {
    country: 'US',
    resources: { cpu: 8, memory: 8, storage: 80 },
    payments_network: 'mainnet',
    pricing: { glm_per_core_month: 1, glm_per_gb_ram_month: 1, glm_per_gb_storage_month: 1 },
  },
};

const FILTERS: [filter: object, matches: string[]][] = [
  [{}, Object.keys(FLEET)],
  [{ cpu: 8 }, ['de-suspect', 'fr-unpriced', 'se-large', 'us-glm']],
  [{ cpu: 64 }, ['se-large']],
  [{ cpu: 65 }, []],
  [{ memory: 16 }, ['de-suspect', 'fr-unpriced', 'se-large']],
  [{ storage: 100 }, ['de-suspect', 'fr-unpriced', 'se-large']],
  [{ storage: 101 }, ['de-suspect', 'se-large']],
  [{ country: 'SE' }, ['se-large', 'se-small']],
  [{ country: 'se' }, ['se-large', 'se-small']],
  [{ country: ['fr', 'US'] }, ['fr-unpriced', 'us-glm']],
  [{ country: 'NO' }, []],
  [{ platform: 'arm64' }, ['se-large']],
  [{ platform: ['arm64', 'riscv64'] }, ['se-large']],
  [{ platform: 'ARM64' }, []],
  [{ payments_network: 'mainnet' }, ['se-large', 'us-glm']],
  [{ payments_network: ['holesky', 'mainnet'] }, ['se-large', 'se-small', 'us-glm']],
  [{ max_usd_per_month: 0 }, []],
  [{ max_usd_per_month: 2.49 }, []],
  [{ max_usd_per_month: 2.5 }, ['se-small']],
  [{ max_usd_per_month: 1000 }, ['de-suspect', 'se-large', 'se-small']],
  [{ max_usd_per_month: 16, cpu: 2, memory: 4, storage: 20 }, ['se-small']],
  [{ max_usd_per_month: 17, cpu: 2, memory: 4, storage: 20 }, ['de-suspect', 'se-small']],
  [{ max_glm_per_month: 2.99 }, []],
  [{ max_glm_per_month: 3 }, ['us-glm']],
  [{ max_glm_per_month: 12, cpu: 8, memory: 3 }, ['us-glm']],
  [{ max_glm_per_month: 1000, max_usd_per_month: 1000 }, []],
  [{ not_country: 'se' }, ['de-suspect', 'fr-unpriced', 'us-glm']],
  [{ not_country: ['SE', 'FR'], cpu: 9 }, ['de-suspect']],
  [{ country: ['SE', 'US'], not_country: 'SE' }, ['us-glm']],
  [{ country: 'SE', not_country: 'SE' }, []],
  [{ exclude: ['se-large', 'nobody'], country: 'SE' }, ['se-small']],
  [{ exclude: Object.keys(FLEET) }, []],
  [{ min: { gpu: 0 } }, Object.keys(FLEET)],
  [{ min: { gpu: 1 } }, ['se-large']],
  [{ min: { gpu: 4 }, country: 'SE' }, ['se-large']],
  [{ min: { gpu: 5 } }, []],
  [{ min: { tpu: 1 } }, []],
  [{ attributes: { gpu_model: 'RTX 4090' } }, ['se-large']],
  [{ attributes: { gpu_model: ['none', 'RTX 4090', 'A100'] } }, ['se-large', 'se-small']],
  [{ attributes: { gpu_model: 'rtx 4090' } }, []],
  [{ attributes: { rank: ['1', 1] } }, ['se-large', 'se-small']],
  [{ attributes: { bandwidth_mbps: { min: 99.5 } } }, ['se-large', 'se-small']],
  [{ attributes: { bandwidth_mbps: { min: 99.6 } } }, ['se-large']],
  [{ attributes: { bandwidth_mbps: { max: 99.5 } } }, ['se-small']],
  [{ attributes: { bandwidth_mbps: { min: 100, max: 1000 } }, cpu: 2 }, ['se-large']],
  [{ attributes: { rank: { min: 0 } } }, ['se-small']],
  [{ attributes: { region: { min: 0 } } }, []],
  [{ attributes: { tee: [true, 'true'], rank: ['1', 1] }, min: { gpu: 1 } }, ['se-large']],
  [{ ip_confirmed: true }, []],
  [{ verified: true, cpu: 16 }, ['de-suspect', 'se-large']],
  [{ status: 'live' }, ['fr-unpriced', 'se-large', 'se-small', 'us-glm']],
  [{ status: 'live', platform: 'x86_64', cpu: 4 }, ['fr-unpriced']],
  [{ country: 'SE', payments_network: 'mainnet', memory: 1, platform: ['x86_64', 'arm64'] }, ['se-large']],
];

/** What a query cannot tell apart, and a subscription can. */
const EXACT: [filter: object, matches: string[]][] = [
  [{ attributes: { tee: true } }, ['se-large']],
  [{ attributes: { tee: 'true' } }, ['se-small']],
  [{ attributes: { rank: 1 } }, ['se-small']],
  [{ attributes: { rank: '1' } }, ['se-large']],
];

/** What is no filter, and the member that the message has to name. */
const INVALID: [filter: unknown, names: string][] = [
  [null, 'filter'],
  [[], 'filter'],
  ['cpu=2', 'filter'],
  [5, 'filter'],
  [{ cpu: 0 }, 'cpu'],
  [{ max_glm_per_month: -1 }, 'max_glm_per_month'],
  [{ not_country: 'XX' }, 'not_country'],
  [{ exclude: 'se-small' }, 'exclude'],
  [{ exclude: ['no id'] }, 'exclude'],
  [{ exclude: Array<string>(101).fill('a') }, 'exclude'],
  [{ verified: false }, 'verified'],
  [{ ip_confirmed: false }, 'ip_confirmed'],
  [{ min: { cpu: 2 } }, 'min.cpu'],
  [{ attributes: { GPU: 1 } }, 'attributes.GPU'],
  [{ attributes: { x: { min: 2, max: 1 } } }, 'attributes.x'],
  [{ cpu: -1 }, 'cpu'],
  [{ cpu: 1.5 }, 'cpu'],
  [{ cpu: '2' }, 'cpu'],
  [{ cpu: [2] }, 'cpu'],
  [{ cpu: null }, 'cpu'],
  [{ memory: 0 }, 'memory'],
  [{ storage: true }, 'storage'],
  [{ country: 'XX' }, 'country'],
  [{ country: 'Sweden' }, 'country'],
  [{ country: [] }, 'country'],
  [{ country: ['SE', 'XX'] }, 'country'],
  [{ country: 'SE,FR' }, 'country'],
  [{ country: 5 }, 'country'],
  [{ platform: '' }, 'platform'],
  [{ platform: 'x'.repeat(33) }, 'platform'],
  [{ platform: [['arm64']] }, 'platform'],
  [{ payments_network: 'a\nb' }, 'payments_network'],
  [{ payments_network: {} }, 'payments_network'],
  [{ max_usd_per_month: -0.01 }, 'max_usd_per_month'],
  [{ max_usd_per_month: '5' }, 'max_usd_per_month'],
  [{ status: 'suspect' }, 'status'],
  [{ status: 'any' }, 'status'],
  [{ colour: 'red' }, 'colour'],
  [{ cpu: 2, limit: 5 }, 'limit'],
  [{ sort: 'price' }, 'sort'],
  [{ CPU: 2 }, 'CPU'],
  [{ country: Array.from({ length: 257 }, () => 'SE') }, 'country'],
];

/** The same filter, written in several ways. */
const EQUAL: object[][] = [
  [{}, {}],
  [
    { cpu: 2, country: 'SE' },
    { country: 'se', cpu: 2 },
    { country: ['SE'], cpu: 2 },
    { country: ['Se', 'sE', 'SE'], cpu: 2 },
  ],
  [{ country: ['SE', 'FR'] }, { country: ['fr', 'SE'] }, { country: ['SE', 'FR', 'SE'] }],
  [{ platform: ['a', 'b'] }, { platform: ['b', 'a', 'b'] }],
  [{ platform: 'SE' }, { platform: ['SE'] }],
  [{ payments_network: ['b', 'a'] }, { payments_network: ['a', 'b'] }],
  [
    { status: 'live', max_usd_per_month: 5, memory: 1 },
    { memory: 1, max_usd_per_month: 5, status: 'live' },
  ],
  [{ platform: 'A' }],
  [{ platform: 'a' }],
  [{ cpu: 1 }],
  [{ memory: 1 }],
  [{ max_usd_per_month: 1 }],
  [{ max_usd_per_month: 1, cpu: 1 }],
];

forEachPair('filters', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair, {}, { own: true });

  before(async () => {
    const watcher = await Watcher.join(hub(), codec);
    for (const [id, advertisement] of Object.entries(FLEET)) {
      const provider = await Provider.join(hub(), codec, { id });
      await provider.advertise(advertisement);
      if (id === 'de-suspect') provider.socket.terminate();
    }
    while (watcher.view.get('de-suspect')?.status !== 'suspect') await watcher.next();
    watcher.socket.close();
  });

  for (const [filter, matches] of FILTERS) {
    test(`${JSON.stringify(filter)} matches ${matches.join(', ') || 'nobody'}, as in a list`, async () => {
      const watcher = await Watcher.join(hub(), codec, filter);
      assert.deepEqual([...watcher.view.keys()].sort(), matches);
      assert.equal(watcher.resumed, false);
      assert.deepEqual(watcher.batches, [matches.length]);
      await assertIsList(hub(), filter, watcher.view);
      watcher.socket.close();
    });
  }

  test('texts, numbers and booleans that look alike are different values', async () => {
    for (const [filter, matches] of EXACT) {
      const watcher = await Watcher.join(hub(), codec, filter);
      assert.deepEqual([...watcher.view.keys()].sort(), matches, JSON.stringify(filter));
      watcher.socket.close();
    }
  });

  test('what is no filter is ADV_002 with the member named, and does not count as a subscription', async () => {
    const socket = await greet(hub(), codec);
    for (const [filter, names] of INVALID) {
      const message = await refused(socket, { type: 'subscribe', id: 1, filter }, 'ADV_002');
      assert.ok(message.includes(names), `${JSON.stringify(filter)}: ${message}`);
    }
    await hub().advance(10_200);
    assert.equal(await socket.closeCode(), 4408);
  });

  test('the same filter has the same stream however it is written, in either codec', async () => {
    const other = codec === 'json' ? 'msgpack' : 'json';
    // Each hub names its streams.
    const sockets = [await greet(hub().first, codec), await greet(hub().first, other)];
    const name = async (filter: object, at: number): Promise<string> => {
      const socket = sockets[at % 2]!;
      socket.send({ type: 'subscribe', id: at, filter });
      const { stream } = await socket.next('subscribed');
      await socket.next('snapshot');
      return stream as string;
    };
    const names: string[] = [];
    for (const group of EQUAL) {
      const streams: string[] = [];
      for (const [at, filter] of [...group, group[0]!].entries()) streams.push(await name(filter, at));
      assert.equal(new Set(streams).size, 1, JSON.stringify(group));
      names.push(streams[0]!);
    }
    assert.equal(new Set(names).size, EQUAL.length, 'different filters are different streams');
  });
});

forEachPair('a long list in a filter', (pair) => {
  const hub = useHub(pair);

  test('may have 256 values', async () => {
    const codec: CodecName = pair.codec;
    const network = unique();
    const others = Array.from({ length: 255 }, (_, index) => `other-${String(index)}`);
    const provider = await Provider.join(hub(), codec);
    await provider.advertise({ payments_network: network });
    const watcher = await Watcher.join(hub(), codec, { payments_network: [...others, network] });
    assert.deepEqual([...watcher.view.keys()], [provider.id]);
  });
});
