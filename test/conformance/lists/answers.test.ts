import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import type { Visibility } from '../../../src/protocol/answers.js';
import { DOWN_SCHEMAS } from '../../../src/protocol/frames/frames-down-schemas.js';
import { parseListQuery } from '../../../src/protocol/filters/list-query.js';
import { parseExplainQuery, parseMarketQuery } from '../../../src/protocol/filters/answer-queries.js';
import * as naive from '../../support/worlds/naive-answers.js';
import { type ErrorAnswer, firstOf, type TestHub } from '../../support/hubs/test-hub.js';
import { forEachPair, greet, Provider, refused, useHub } from '../websocket-support.js';

const PRICES = { usd_per_gb_ram_month: 1, usd_per_gb_storage_month: 0.1 };

const FLEET: Record<string, object> = {
  cheap: { country: 'SE', platform: 'x86_64', pricing: { usd_per_core_month: 2, ...PRICES } },
  dear: { country: 'SE', platform: 'arm64', pricing: { usd_per_core_month: 20, ...PRICES } },
  equal: { country: 'NO', platform: 'x86_64', pricing: { usd_per_core_month: 2, ...PRICES } },
  large: {
    country: 'SE',
    resources: { cpu: 64, memory: 256, storage: 4000 },
    pricing: { usd_per_core_month: 3, ...PRICES },
    attributes: { gpu_model: 'RTX 4090', rack: 7 },
  },
  unpriced: { attributes: { gpu_model: 'A100', rack: '7' }, country: 'DE', platform: 'x86_64' },
};

const ASK = { type: 'visibility', id: 9 };

const QUERIES = [
  '',
  'cpu=8',
  'cpu=8&country=NO&max_usd_per_month=30',
  'platform=x86_64,riscv&not_country=NO',
  'exclude=cheap,nobody&status=live&verified=true',
  'payments_network=none&max_glm_per_month=1',
  'country=FI&platform=unheard-of&cpu=4096',
];

async function everything(hub: TestHub): Promise<PublishedAdvertisement[]> {
  return (await hub.get<PublishedAdvertisement[]>('/api/v1/advertisements')).body;
}

forEachPair('explain, market and visibility', (pair) => {
  const hub = useHub(pair, {}, { own: true });
  /** The hub that counts who sees a provider. */
  const counting = firstOf(hub);
  const providers = new Map<string, Provider>();

  before(async () => {
    for (const [id, changes] of Object.entries(FLEET)) {
      const provider = await Provider.join(counting(), pair.codec, { id });
      providers.set(id, provider);
      await provider.advertise(changes);
    }
  });

  const see = async (id: string): Promise<Visibility> => {
    const { socket } = providers.get(id)!;
    socket.send({ type: 'visibility', id: `of ${id}` });
    const frame = await socket.next('visibility');
    const { type: _, id: echoed, ...rest } = DOWN_SCHEMAS.visibility.parse(frame);
    assert.equal(echoed, `of ${id}`);
    return rest;
  };

  for (const query of QUERIES) {
    test(`explain and market of "${query}" are what the list says`, async () => {
      const all = await everything(hub());
      const list = await hub().get<PublishedAdvertisement[]>(`/api/v1/advertisements?${query}&sort=price`);
      const cursor = list.headers.get('x-discovery-cursor');
      const { filter } = parseListQuery(query);
      const explained = await hub().get(`/api/v1/explain?${query}`);
      assert.equal(explained.status, 200);
      assert.equal(explained.headers.get('access-control-allow-origin'), '*');
      assert.deepEqual(explained.body, { cursor, ...naive.explain(all, filter) });
      assert.equal((explained.body as { matched: number }).matched, list.body.length);
      for (const id of Object.keys(FLEET)) {
        const one = await hub().get<{ rank: object }>(`/api/v1/explain?${query}&provider_id=${id}`);
        assert.deepEqual(one.body, { cursor, ...naive.explainProvider(all, filter, id) });
        const place = list.body.findIndex(({ provider_id: other }) => other === id);
        assert.deepEqual(one.body.rank, { by_price: place < 0 ? null : place + 1, of: list.body.length });
      }
      for (const by of [null, 'country', 'platform', 'attr.gpu_model', 'attr.rack', 'attr.none'] as const) {
        const parameter = by === null ? '' : `&by=${by}`;
        const { body } = await hub().get(`/api/v1/market?${query}${parameter}`);
        assert.deepEqual(body, { cursor, ...naive.market(all, filter, by) });
      }
    });
  }

  test('what they do not know is refused by its name', async () => {
    const refusals: [path: string, status: number, code: string, names: string][] = [
      ['explain?colour=red', 400, 'ADV_002', 'colour'],
      ['explain?sort=price', 400, 'ADV_002', 'sort'],
      ['explain?by=country', 400, 'ADV_002', 'by'],
      ['explain?provider_id=', 400, 'ADV_002', 'provider_id'],
      ['explain?provider_id=a&provider_id=b', 400, 'ADV_002', 'provider_id'],
      ['explain?provider_id=nobody', 404, 'ADV_004', 'nobody'],
      ['explain?country=ZZ', 400, 'ADV_002', 'country'],
      ['market?by=colour', 400, 'ADV_002', 'by'],
      ['market?by=attr.GPU', 400, 'ADV_002', 'by'],
      ['market?by=attr.', 400, 'ADV_002', 'by'],
      ['market?by=country&by=platform', 400, 'ADV_002', 'by'],
      ['market?limit=3', 400, 'ADV_002', 'limit'],
      ['market?cpu=0', 400, 'ADV_002', 'cpu'],
    ];
    for (const [path, status, code, names] of refusals) {
      const answer = await hub().get<ErrorAnswer>(`/api/v1/${path}`);
      assert.deepEqual([answer.status, answer.body.code], [status, code], path);
      assert.ok(answer.body.message.includes(names), answer.body.message);
    }
    assert.throws(() => parseExplainQuery('after=x'), { code: 'ADV_002' });
    assert.throws(() => parseMarketQuery('provider_id=a'), { code: 'ADV_002' });
  });

  test('a provider is told who sees it, what keeps it out of streams, and where it stands', async () => {
    const follows: object[][] = [
      [{ country: ['SE'] }, { cpu: 2 }],
      [{ country: ['SE'] }],
      [
        { country: ['SE'], max_usd_per_month: 5 },
        { country: ['NO'], max_usd_per_month: 5 },
      ],
      [{ max_usd_per_month: 1 }, { cpu: 32 }],
    ];
    for (const filters of follows) {
      const socket = await greet(counting(), pair.codec);
      for (const filter of filters) socket.send({ type: 'subscribe', id: 1, filter });
      await socket.settle();
    }
    const subscribers = follows.map((filters) =>
      filters.map((filter) => {
        const search = new URLSearchParams();
        for (const [name, value] of Object.entries(filter)) search.set(name, String(value));
        return parseListQuery(search.toString()).filter;
      }),
    );
    await hub().advance(5000);
    const all = await everything(hub());
    for (const id of Object.keys(FLEET))
      assert.deepEqual(await see(id), naive.visibility(all, subscribers, id), id);
  });

  test('it may ask once in five seconds, on whatever connection; before it authenticates not at all', async () => {
    await hub().advance(5000);
    await see('dear');
    const { socket } = providers.get('dear')!;
    assert.match(await refused(socket, ASK, 'RATE_001'), /once in 5 s; try again in 5 s/);
    providers.set('dear', await providers.get('dear')!.rejoin());
    await refused(providers.get('dear')!.socket, ASK, 'RATE_001');
    await hub().advance(5000);
    assert.equal((await see('dear')).listed, true);
    await refused(await greet(hub(), pair.codec), ASK, 'WS_002');
  });

  test('without an advertisement it is not listed', async () => {
    providers.set('unlisted', await Provider.join(counting(), pair.codec, { id: 'unlisted' }));
    assert.deepEqual(await see('unlisted'), {
      listed: false,
      status: null,
      streams: 0,
      subscribers: 0,
      missed: [],
      price: null,
    });
  });

  test('all of them are in the metrics', async () => {
    const response = await fetch(`${counting().url}/metrics`);
    const text = await response.text();
    for (const route of ['explain', 'market'])
      assert.match(
        text,
        new RegExp(`discovery_http_request_seconds_count\\{route="${route}",.*status="200"`),
      );
    assert.match(text, /^discovery_visibility_seconds_count [1-9]/m);
    assert.match(text, /^discovery_reads_pending 0$/m);
    // Two models of GPUs, and a rack that is a number and a text.
    assert.match(text, /^discovery_facts 4$/m);
    assert.match(text, /^discovery_advertisements_unnumbered 0$/m);
  });
});
