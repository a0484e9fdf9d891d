import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import { FIRST_CERTIFICATE } from '../../data/certificates.js';
import { EventSourceReader, type EventSourceOptions } from '../../support/clients/event-source.js';
import { assertError, LIST, onBothTransports } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { randomOf } from '../../support/random.js';
import { rounds } from '../../support/rounds.js';
import { type Answer, type ErrorAnswer, TestHub, TRANSPORTS } from '../../support/hubs/test-hub.js';
import { type Frame } from '../../support/clients/test-socket.js';
import { writeCertificate } from '../../support/clients/tls.js';
import { eventually, fill, Provider, unique } from '../websocket-support.js';
import { assertIsList, listed, queryOf, type Resume, StreamView, Watcher } from '../websocket-watcher.js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EVENTS = '/api/v1/events';

/** A requestor that reads server-sent events. */
class EventWatcher {
  readonly source: EventSourceReader;
  readonly #state: StreamView;

  private constructor(source: EventSourceReader, state: StreamView) {
    this.source = source;
    this.#state = state;
  }

  static async join(hub: TestHub, filter: object, resume?: Resume): Promise<EventWatcher> {
    const headers = resume === undefined ? {} : { 'Last-Event-ID': resume.cursor };
    const source = await open(hub, queryOf(filter), { headers });
    assert.equal(source.status, 200);
    const state = new StreamView(await source.frame(), resume);
    while (!state.complete) state.apply(await source.frame());
    return new EventWatcher(source, state);
  }

  get view(): ReadonlyMap<string, PublishedAdvertisement> {
    return this.#state.view;
  }

  get resumed(): boolean {
    return this.#state.resumed;
  }

  get position(): Resume {
    return { cursor: this.#state.cursor, view: new Map(this.view) };
  }

  /** Applies what comes until the view is what a list says. */
  async becomes(list: readonly PublishedAdvertisement[]): Promise<void> {
    const wanted = JSON.stringify(list);
    while (textOf(this.view) !== wanted) this.#state.apply(await this.source.frame());
  }
}

function textOf(view: ReadonlyMap<string, PublishedAdvertisement>): string {
  return JSON.stringify([...view.values()].sort((a, b) => (a.provider_id < b.provider_id ? -1 : 1)));
}

const readers: EventSourceReader[] = [];
after(() => {
  for (const reader of readers) reader.close();
});

async function open(
  hub: TestHub,
  query: string,
  options: EventSourceOptions = {},
): Promise<EventSourceReader> {
  const reader = await EventSourceReader.open(`${hub.url}${EVENTS}?${query}`, options);
  readers.push(reader);
  return reader;
}

async function refusalOf(
  hub: TestHub,
  query: string,
  headers: Record<string, string> = {},
): Promise<Answer<ErrorAnswer>> {
  return hub.request<ErrorAnswer>('GET', `${EVENTS}?${query}`, { headers });
}

onBothTransports('server-sent events', {}, (hub) => {
  test('an open stream says how long to wait before coming back, what there is, and that it is alive', async () => {
    const source = await open(hub(), queryOf({ payments_network: unique() }));
    assert.equal(source.status, 200);
    assert.equal(source.response.headers['content-type'], 'text/event-stream; charset=utf-8');
    assert.equal(source.response.headers['x-accel-buffering'], 'no');
    assert.equal(source.response.headers['cache-control'], 'no-store');
    assert.equal(source.response.headers['access-control-allow-origin'], '*');
    const { type, resumed, cursor } = await source.frame();
    assert.deepEqual([type, resumed, cursor], ['subscribed', false, null]);
    assert.ok(source.retryMs! >= 1000 && source.retryMs! <= 5000, 'readers come back one after another');
    assert.deepEqual((await source.frame())['advertisements'], []);
    await hub().advance(15_000);
    await source.until(() => source.comments === 1, 'a comment');
    await hub().advance(15_000);
    const bookmark = await source.frame();
    assert.deepEqual([bookmark['type'], bookmark['cursor']], ['bookmark', source.lastEventId]);
    source.close();
  });

  test('only the last frame of a snapshot has an id', async () => {
    const network = unique();
    await fill(hub(), 1100, { payments_network: network });
    const source = await open(hub(), queryOf({ payments_network: network }));
    const ids: (string | undefined)[] = [];
    for (let last = false; !last;) {
      const event = await source.next();
      ids.push(event.id);
      last = (JSON.parse(event.data) as Frame)['last'] === true;
    }
    assert.ok(ids.length >= 4 && ids.slice(0, -1).every((id) => id === undefined), ids.join());
    assert.match(ids.at(-1)!, /^[0-9a-z]+:\d+$/);
    source.close();
  });

  test('a reader that comes back with Last-Event-ID is told exactly what it missed, whatever its query says', async () => {
    const filter = { payments_network: unique() };
    const provider = await Provider.join(hub(), 'json');
    await provider.advertise(filter);
    const { cursor } = await listed(hub(), filter);
    const watcher = await EventWatcher.join(hub(), filter);
    await provider.advertise({ ...filter, name: 'seen' });
    await watcher.becomes((await listed(hub(), filter)).list);
    watcher.source.close();
    await provider.advertise({ ...filter, name: 'missed' });
    const back = await open(hub(), `${queryOf(filter)}&resume=${cursor}`, {
      headers: { 'Last-Event-ID': watcher.source.lastEventId },
    });
    const subscribed = await back.frame();
    assert.deepEqual([subscribed['resumed'], subscribed['cursor']], [true, watcher.source.lastEventId]);
    const { events } = (await back.frame()) as { events?: { op: string; advertisement: { name: string } }[] };
    assert.deepEqual(
      events?.map(({ op, advertisement }) => [op, advertisement.name]),
      [['updated', 'missed']],
    );
    back.close();
    const byQuery = await open(hub(), `${queryOf(filter)}&resume=${cursor}`);
    assert.deepEqual((await byQuery.frame())['cursor'], cursor, 'without the header, the query counts');
    byQuery.close();
  });

  test('with sort and limit, only the first matches are told', async () => {
    const filter = { payments_network: unique() };
    const providers = await Promise.all(Array.from({ length: 3 }, () => Provider.join(hub(), 'json')));
    const price = (usd: number): object => ({
      ...filter,
      pricing: { usd_per_core_month: usd, usd_per_gb_ram_month: 1, usd_per_gb_storage_month: 1 },
    });
    for (const [at, provider] of providers.entries()) await provider.advertise(price(10 + at));
    const source = await open(hub(), `${queryOf(filter)}&sort=price&limit=2`);
    await source.frame();
    const { advertisements } = (await source.frame()) as { advertisements?: PublishedAdvertisement[] };
    assert.deepEqual(
      advertisements?.map(({ provider_id }) => provider_id),
      providers.slice(0, 2).map(({ id }) => id),
    );
    await providers[2]!.advertise(price(1));
    const { events } = (await source.frame()) as { events?: { op: string; reason?: string }[] };
    assert.deepEqual(events?.map(({ op, reason }) => reason ?? op).sort(), ['added', 'outranked']);
    source.close();
  });

  test('a resume that cannot be exact brings a snapshot, and has the reader forget the old cursor', async () => {
    await fill(hub(), 600, { payments_network: 'forget' });
    for (const cursor of ['0:0', 'nonsense', `${hub().hub.registry.changes.epoch}:999999999`]) {
      const source = await open(hub(), queryOf({ payments_network: 'forget' }), {
        headers: { 'Last-Event-ID': cursor },
      });
      // Hubs that share a store wait a moment for a cursor that another one may have given.
      await hub().advance(2200);
      const subscribed = await source.next();
      assert.match(subscribed.data, /"resumed":false/);
      assert.equal(subscribed.lastEventId, '', 'in the middle of a snapshot there is nothing to resume from');
      source.close();
    }
  });

  test('HEAD gets the headers and opens nothing; a reader that goes leaves nothing behind', async () => {
    const one = hub().first;
    const { gateway } = one.hub;
    await eventually('earlier readers are gone', () => gateway.readers.size === 0);
    const before = gateway.streams.subscriptions;
    const head = await open(one, '', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    const source = await open(one, queryOf({ payments_network: unique() }));
    await source.frame();
    assert.deepEqual([gateway.readers.size, gateway.streams.subscriptions], [1, before + 1]);
    source.close();
    await eventually('it is gone', () => gateway.readers.size === 0);
    assert.equal(gateway.streams.subscriptions, before);
  });

  test('what is asked for wrongly is refused as on the list, and other methods as anywhere', async () => {
    assertError(await refusalOf(hub(), 'colour=red'), 400, 'ADV_002', /colour/);
    assertError(await refusalOf(hub(), 'country=XX'), 400, 'ADV_002', /country/);
    assertError(await refusalOf(hub(), 'limit=3'), 400, 'ADV_002', /give sort and limit together/);
    assertError(await refusalOf(hub(), 'limit=101&sort=price'), 400, 'ADV_002', /limit/);
    const posted = await hub().request<ErrorAnswer>('POST', EVENTS, { body: '{}' });
    assertError(posted, 405, 'HTTP_405');
  });
});

describe('limits of server-sent events', () => {
  for (const [setting, code, status, most] of [
    ['MAX_CONNECTIONS_PER_ADDRESS', 'RATE_002', 429, 3],
    ['MAX_SUBSCRIPTIONS_PER_ADDRESS', 'WS_004', 429, 3],
    ['SUBSCRIBES_PER_MINUTE', 'RATE_006', 429, 3],
    ['MAX_FILTERS', 'WS_005', 503, 3],
  ] as const) {
    test(`${setting} holds for readers of events and for lists that wait`, async () => {
      const hub = (await TestHub.start({ TRUST_PROXY: '127.0.0.1', [setting]: String(most) })).first;
      const from = { 'X-Forwarded-For': '198.51.100.1' };
      for (let open = 0; open < most; open += 1) {
        const source = await EventSourceReader.open(
          `${hub.url}${EVENTS}?${queryOf({ payments_network: `n${String(open)}` })}`,
          { headers: from },
        );
        readers.push(source);
        assert.equal((await source.frame())['type'], 'subscribed');
      }
      assertError(await refusalOf(hub, 'payments_network=more', from), status, code);
      const { cursor } = await listed(hub, {});
      const waiting = `${LIST}?payments_network=more&since=${cursor}&wait=60`;
      assertError(await hub.request<ErrorAnswer>('GET', waiting, { headers: from }), status, code);
      await hub.stop();
    });
  }
});

describe('a hub that stops', () => {
  for (const transport of TRANSPORTS) {
    test(`ends readers of events properly, and answers lists that wait (${transport})`, async () => {
      const hub = (await TestHub.start({ TRANSPORT: transport, DRAIN_SECONDS: '1' })).first;
      const source = await open(hub, '');
      await source.frame();
      const { cursor } = await listed(hub, {});
      const waiting = hub.request('GET', `${LIST}?since=${cursor}&wait=60`);
      await eventually('it waits', () => hub.hub.gateway.waits.size === 1);
      const stopped = hub.hub.stop();
      await hub.advance(1200);
      assert.equal((await waiting).status, 304);
      assert.equal(await source.ended, true, 'the reader knows that nothing is missing');
      await stopped;
      await hub.stop();
    });
  }
});

describe('events over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hub-tls-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const { cert, key } = writeCertificate(folder, FIRST_CERTIFICATE);
  for (const transport of TRANSPORTS) {
    test(`come as they happen (${transport})`, async () => {
      const hub = await TestHub.start({ TRANSPORT: transport, TLS_CERT: cert, TLS_KEY: key });
      const watcher = await EventWatcher.join(hub, { country: 'SE' });
      await hub.post(new TestKey());
      await watcher.becomes((await listed(hub, { country: 'SE' })).list);
      assert.equal(watcher.view.size, 1);
      watcher.source.close();
      await hub.stop();
    });
  }
});

for (const transport of TRANSPORTS) {
  describe(`the same changes, read in every way there is (${transport})`, () => {
    let hub: TestHub;
    before(async () => {
      hub = await TestHub.start({ TRANSPORT: transport });
      // Of several hubs, the last to start cannot resume from before its own start.
      await hub.post(new TestKey());
    });
    after(() => hub.stop());

    test('WebSockets in both codecs, events and lists that wait all end with what the list says', async (t) => {
      const random = randomOf(t);
      const below = (n: number): number => Math.floor(random() * n);
      const network = unique();
      const filters = [
        {},
        { cpu: 4 },
        { country: ['SE', 'DE'] },
        { status: 'live' },
        { max_usd_per_month: 9 },
      ].map((filter): object => ({ ...filter, payments_network: network }));
      const providers = await Promise.all(Array.from({ length: 8 }, () => Provider.join(hub, 'json')));
      const sockets = await Promise.all(
        filters.flatMap((filter) =>
          (['json', 'msgpack'] as const).map(async (codec) => ({
            filter,
            by: await Watcher.join(hub, codec, filter),
          })),
        ),
      );
      const events = await Promise.all(
        filters.map(async (filter) => ({ filter, by: await EventWatcher.join(hub, filter) })),
      );
      const wait = (filter: object, since: string): Promise<Answer<PublishedAdvertisement[]>> =>
        hub.get(`${LIST}?${queryOf(filter)}&since=${since}&wait=60`);
      const polled = await Promise.all(
        filters.map(async (filter) => {
          const { list, cursor } = await listed(hub, filter);
          return { filter, list, answer: wait(filter, cursor) };
        }),
      );
      for (let round = 0; round < rounds(15); round += 1) {
        await Promise.all(
          providers.map(async (provider, at) => {
            const chance = below(10);
            if (chance < 5) {
              await provider.advertise({
                payments_network: below(5) === 0 ? null : network,
                country: ['SE', 'FR', 'DE'][below(3)],
                resources: { cpu: 1 + below(8), memory: 1, storage: 1 },
                pricing: {
                  usd_per_core_month: below(6),
                  usd_per_gb_ram_month: 1,
                  usd_per_gb_storage_month: 1,
                },
              });
            } else if (chance === 5) {
              provider.socket.send(provider.withdrawFrame());
              await provider.socket.any();
            } else if (chance === 6) providers[at] = await provider.rejoin();
          }),
        );
        for (const each of events) {
          if (below(4) > 0) continue;
          const { position } = each.by;
          each.by.source.close();
          each.by = await EventWatcher.join(hub, each.filter, position);
          assert.equal(each.by.resumed, true);
        }
        for (const { filter, by } of events) await by.becomes((await listed(hub, filter)).list);
        for (const each of polled) {
          const now = JSON.stringify((await listed(hub, each.filter)).list);
          while (JSON.stringify(each.list) !== now) {
            const { status, body, headers } = await each.answer;
            assert.equal(status, 200);
            each.list = body;
            each.answer = wait(each.filter, headers.get('x-discovery-cursor')!);
          }
        }
      }
      for (const { filter, by } of sockets) {
        await by.events();
        await assertIsList(hub, filter, by.view);
      }
      for (const { by } of events) by.source.close();
      // Whoever has waited through all of it is told that nothing has changed.
      await hub.advance(60_200);
      for (const { answer } of polled) assert.ok([200, 304].includes((await answer).status));
    });
  });
}
