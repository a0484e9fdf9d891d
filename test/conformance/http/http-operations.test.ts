import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually, itemPath, LIST, onBothTransports } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { Metrics } from '../../support/clients/prometheus.js';
import { ADVERTISEMENT, firstOf, TestHub, TRANSPORTS } from '../../support/hubs/test-hub.js';

/** What an operator watches, by the kind of number that it is. */
const SERIES: Readonly<Record<string, string>> = {
  discovery_connections: 'gauge',
  discovery_sessions: 'gauge',
  discovery_subscribers: 'gauge',
  discovery_streams: 'gauge',
  discovery_advertisements: 'gauge',
  discovery_departures_total: 'counter',
  discovery_http_request_seconds: 'histogram',
  discovery_match_to_send_seconds: 'histogram',
  discovery_queue_bytes: 'gauge',
  discovery_readers: 'gauge',
  discovery_reader_ends_total: 'counter',
  discovery_mirror_lag_seconds: 'gauge',
  discovery_mirror_pending: 'gauge',
  discovery_resumes_total: 'counter',
  discovery_connection_closes_total: 'counter',
  discovery_rate_limited_total: 'counter',
  discovery_refusals_total: 'counter',
  nodejs_eventloop_lag_seconds: 'gauge',
  process_resident_memory_bytes: 'gauge',
  process_cpu_seconds_total: 'counter',
};

onBothTransports('metrics', {}, (hubs) => {
  const hub = firstOf(hubs);
  const scrape = async (): Promise<Metrics> => {
    const response = await fetch(`${hub().url}/metrics`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    return new Metrics(await response.text());
  };

  test('every series is there and has its type', async () => {
    const metrics = await scrape();
    for (const [name, type] of Object.entries(SERIES)) assert.equal(metrics.types.get(name), type, name);
  });

  test('advertisements are counted by status, departures by reason', async () => {
    const key = new TestKey();
    const before = await scrape();
    assert.equal(before.value('discovery_advertisements', 'status="live"'), 0);
    for (const id of ['a', 'b', 'c']) await hub().post(key, id);
    const socket = await hub().session(key, 'a');
    const during = await scrape();
    assert.equal(during.value('discovery_advertisements', 'status="live"'), 3);
    assert.equal(during.value('discovery_advertisements', 'status="suspect"'), 0);
    assert.equal(during.value('discovery_sessions'), 1);
    assert.equal(during.value('discovery_connections'), 1);
    socket.terminate();
    const suspects = (metrics: Metrics): number =>
      metrics.value('discovery_advertisements', 'status="suspect"');
    const after = await eventually(scrape, (metrics) => suspects(metrics) === 1);
    assert.equal(after.value('discovery_advertisements', 'status="live"'), 2);
    assert.equal(after.value('discovery_sessions'), 0);
    assert.equal(after.value('discovery_connections'), 0);
    await hub().delete(key, 'b');
    const withdrawn = await scrape();
    assert.equal(withdrawn.value('discovery_departures_total', 'reason="withdrawn"'), 1);
    assert.equal(withdrawn.value('discovery_departures_total', 'reason="expired"'), 0);
    await hub().advance(302_000);
    const expired = await scrape();
    assert.equal(expired.value('discovery_departures_total', 'reason="withdrawn"'), 1);
    assert.equal(expired.value('discovery_departures_total', 'reason="expired"'), 2);
    assert.equal(expired.value('discovery_advertisements', 'status="live"'), 0);
    assert.equal(expired.value('discovery_advertisements', 'status="suspect"'), 0);
  });

  test('subscriptions, streams, resumes and the time until events are sent are measured', async () => {
    const before = await scrape();
    const socket = await hub().connect();
    await socket.next('welcome');
    const subscribe = async (filter: object, resume?: string) => {
      socket.send({ type: 'subscribe', id: 1, filter, resume });
      return socket.next('subscribed', ['bookmark', 'snapshot', 'events']);
    };
    await subscribe({ cpu: 2 });
    const { cursor } = await socket.next('snapshot');
    await subscribe({ country: 'SE' });
    const during = await scrape();
    assert.equal(during.value('discovery_subscribers'), 2);
    assert.equal(during.value('discovery_streams'), 2);
    await hub().post(new TestKey());
    await socket.next('events', ['bookmark', 'snapshot']);
    const sent = await scrape();
    const count = 'discovery_match_to_send_seconds_count';
    assert.ok(sent.value(count) > before.value(count));
    assert.ok(sent.samples('discovery_match_to_send_seconds_bucket').has('le="+Inf"'));

    assert.equal((await subscribe({ memory: 1 }, cursor as string))['resumed'], true);
    assert.equal((await subscribe({ memory: 2 }, 'anotherepoch:1'))['resumed'], false);
    const resumed = await scrape();
    assert.equal(resumed.value('discovery_resumes_total', 'outcome="exact"'), 1);
    assert.equal(resumed.value('discovery_resumes_total', 'outcome="refused"'), 1);
    socket.close();
    await socket.closed;
  });

  test('closes are counted by code, and odd codes of clients are not told apart', async () => {
    const open = async () => {
      const socket = await hub().connect();
      await socket.next('welcome');
      return socket;
    };
    const before = await scrape();
    const name = 'discovery_connection_closes_total';
    const malformed = await open();
    malformed.sendRaw('{"broken', false);
    assert.equal(await malformed.closed, 4400);
    for (const code of [4000, 4399, 4999]) {
      const socket = await open();
      socket.raw.close(code);
      await socket.closed;
    }
    const after = await eventually(scrape, (metrics) => metrics.value(name, 'code="other"') >= 3);
    assert.equal(after.value(name, 'code="4400"'), before.value(name, 'code="4400"') + 1);
    assert.equal(after.value(name, 'code="other"'), 3);
  });

  test('requests are measured by route, method and status, and clients cannot make up routes', async () => {
    const key = new TestKey();
    await hub().post(key, 'measured');
    const before = await scrape();
    const count = (metrics: Metrics, route: string, method: string, status: number): number =>
      metrics.value(
        'discovery_http_request_seconds_count',
        `route="${route}",method="${method}",status="${String(status)}"`,
      );
    await hub().get(LIST);
    await hub().get(`${LIST}?typo=1`);
    await hub().get(itemPath('measured'));
    await hub().get(itemPath('nobody'));
    await hub().get(`${itemPath('measured')}/proof`);
    for (let index = 0; index < 20; index += 1) await hub().get(`/made/up/${String(index)}`);
    await hub().request('PROPFIND', LIST);
    await hub().request('PATCH', LIST);
    const after = await scrape();
    for (const [route, method, status, requests] of [
      ['advertisements', 'GET', 200, 1],
      ['advertisements', 'GET', 400, 1],
      ['advertisement', 'GET', 200, 1],
      ['advertisement', 'GET', 404, 1],
      ['proof', 'GET', 200, 1],
      ['unknown', 'GET', 404, 20],
      ['advertisements', 'other', 405, 2],
    ] as const) {
      const counted = count(after, route, method, status) - count(before, route, method, status);
      assert.equal(counted, requests, `${method} ${route} ${String(status)}`);
    }
    const series = after.samples('discovery_http_request_seconds_count');
    const routes = new Set([...series.keys()].map((labels) => /route="([^"]*)"/.exec(labels)?.[1]));
    assert.ok(routes.size < 12, [...routes].join());
    assert.ok(count(after, 'advertisements', 'POST', 200) > 0);
  });

  test('the mirror and the queues have nothing to wait for when all is quiet', async () => {
    await hub().post(new TestKey(), 'quiet', ADVERTISEMENT);
    const metrics = await eventually(scrape, (now) => now.value('discovery_mirror_pending') === 0);
    assert.equal(metrics.samples('discovery_mirror_lag_seconds').get(''), 0);
    assert.equal(metrics.samples('discovery_queue_bytes').get(''), 0);
    assert.equal(metrics.samples('discovery_verifications_pending').get(''), 0);
    assert.ok(metrics.value('discovery_arena_bytes') > 0);
  });
});

onBothTransports('health', {}, (hub) => {
  test('a hub that is well says so', async () => {
    const { status, body, headers } = await hub().get('/health');
    assert.equal(status, 200);
    assert.deepEqual(body, { status: 'healthy' });
    assert.match(headers.get('content-type') ?? '', /^application\/json\b/);
  });
});

describe('health of a hub that stops', () => {
  for (const transport of TRANSPORTS) {
    test(`it is degraded, and says why (${transport})`, async () => {
      const hub = (await TestHub.start({ TRANSPORT: transport })).first;
      try {
        void hub.hub.gateway.drain(0);
        const { status, body } = await hub.get<{ status: string; reason: string }>('/health');
        assert.equal(status, 503);
        assert.deepEqual(Object.keys(body), ['status', 'reason']);
        assert.equal(body.status, 'degraded');
        assert.match(body.reason, /stopping/);
      } finally {
        await hub.stop();
      }
    });
  }
});
