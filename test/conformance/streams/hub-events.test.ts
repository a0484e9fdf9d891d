import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import {
  type HubHistory,
  hubHistorySchema,
  type HubPointFrame,
  hubPointFrameSchema,
} from '../../../src/protocol/vitals.js';
import { EventSourceReader, type EventSourceOptions } from '../../support/clients/event-source.js';
import { assertError, onBothTransports } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { type Answer, type ErrorAnswer, firstOf, TestHub, TRANSPORTS } from '../../support/hubs/test-hub.js';
import { eventually } from '../websocket-support.js';

const HUB_EVENTS = '/api/v1/hub/events';

const readers: EventSourceReader[] = [];
after(() => {
  for (const reader of readers) reader.close();
});

async function open(hub: TestHub, options: EventSourceOptions = {}): Promise<EventSourceReader> {
  const reader = await EventSourceReader.open(`${hub.url}${HUB_EVENTS}`, options);
  readers.push(reader);
  return reader;
}

async function historyOf(reader: EventSourceReader): Promise<HubHistory> {
  const { name, id, data } = await reader.next();
  assert.deepEqual([name, id], ['history', undefined]);
  return hubHistorySchema.parse(JSON.parse(data));
}

async function pointOf(reader: EventSourceReader): Promise<HubPointFrame['point']> {
  const { name, id, data } = await reader.next();
  assert.deepEqual([name, id], ['point', undefined]);
  return hubPointFrameSchema.parse(JSON.parse(data)).point;
}

const ask = (hub: TestHub, more = '', headers: Record<string, string> = {}): Promise<Answer<ErrorAnswer>> =>
  hub.request<ErrorAnswer>('GET', `${HUB_EVENTS}${more}`, { headers });

onBothTransports('events about the hub', { HUB_EVENTS: 'all' }, (hubs) => {
  const hub = firstOf(hubs);
  test('begin with what the hub was like, and go on with what it is like every few seconds', async () => {
    await hub().advance(12_000);
    const source = await open(hub());
    assert.equal(source.status, 200);
    assert.equal(source.response.headers['content-type'], 'text/event-stream; charset=utf-8');
    assert.equal(source.response.headers['x-accel-buffering'], 'no');
    assert.equal(source.response.headers['access-control-allow-origin'], '*');
    const { shows, interval_seconds, points } = await historyOf(source);
    assert.ok(source.retryMs! >= 1000 && source.retryMs! <= 5000, 'readers come back one after another');
    assert.deepEqual([shows, interval_seconds], ['all', 5]);
    assert.ok(points.length >= 3);
    const session = await hub().session(new TestKey());
    session.send({ type: 'subscribe', id: 9, filter: { cpu: 2 } });
    await session.next('subscribed');
    await session.next('snapshot');
    await hub().post(new TestKey());
    await session.next('events');
    await hub().advance(5000);
    const point = await pointOf(source);
    const { live, suspect, sessions, connections, readers: open_, subscribers, streams } = point;
    assert.deepEqual([live, suspect, sessions, connections, subscribers, streams], [1, 0, 1, 1, 1, 1]);
    assert.ok(open_ >= 1);
    assert.equal(point.updates_per_second, 0.2);
    assert.ok(point.match_to_send_ms!.max > 0 && point.match_to_send_ms!.p50 <= point.match_to_send_ms!.p99);
    assert.ok(point.loop_lag_ms!.max >= 0);
    assert.equal(point.mirror!.state, 'writing');
    const later = await open(hub());
    assert.deepEqual((await historyOf(later)).points.at(-1), point, 'who comes now sees the same at once');
    for (const reader of [source, later]) reader.close();
    session.close();
  });

  test('HEAD gets the headers and opens nothing; a reader that goes leaves nothing behind', async () => {
    const { gateway } = hub().hub;
    await eventually('earlier readers are gone', () => gateway.readers.size === 0);
    const head = await open(hub(), { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    assert.equal(gateway.clients.find('127.0.0.1')?.subscriptions ?? 0, 0);
    const source = await open(hub());
    await historyOf(source);
    assert.deepEqual([gateway.readers.size, gateway.clients.find('127.0.0.1')?.subscriptions], [1, 1]);
    source.close();
    await eventually('it is gone', () => gateway.readers.size === 0);
    assert.equal(gateway.clients.find('127.0.0.1'), undefined);
  });

  test('take no parameter and no other method', async () => {
    assertError(await ask(hub(), '?country=SE'), 400, 'ADV_002', /"country"/);
    const posted = await hub().request<ErrorAnswer>('POST', HUB_EVENTS, { body: '{}' });
    assertError(posted, 405, 'HTTP_405');
  });
});

describe('what a hub shows of itself', () => {
  test('is how many there are of everything unless its operator says otherwise, or nothing', async () => {
    const usual = await TestHub.start({});
    await usual.advance(200);
    const source = await open(usual);
    const { shows, points } = await historyOf(source);
    assert.equal(shows, 'counts');
    for (const member of ['match_to_send_ms', 'loop_lag_ms', 'queued_bytes', 'mirror']) {
      assert.ok(!(member in points[0]!), member);
    }
    source.close();
    await usual.stop();
    const silent = await TestHub.start({ HUB_EVENTS: 'none' });
    assertError(await ask(silent), 404, 'HTTP_404', /DISCOVERY_HUB_EVENTS/);
    await silent.stop();
  });

  for (const [setting, code] of [
    ['MAX_CONNECTIONS_PER_ADDRESS', 'RATE_002'],
    ['MAX_SUBSCRIPTIONS_PER_ADDRESS', 'WS_004'],
    ['SUBSCRIBES_PER_MINUTE', 'RATE_006'],
  ] as const) {
    test(`${setting} holds for its readers`, async () => {
      const hub = (await TestHub.start({ TRUST_PROXY: '127.0.0.1', [setting]: '2' })).first;
      const headers = { 'X-Forwarded-For': '198.51.100.1' };
      for (let at = 0; at < 2; at += 1) await historyOf(await open(hub, { headers }));
      assertError(await ask(hub, '', headers), 429, code);
      await hub.stop();
    });
  }

  for (const transport of TRANSPORTS) {
    test(`sends its history once, also before there is a first point (${transport})`, async () => {
      const hub = (await TestHub.start({ TRANSPORT: transport })).first;
      const source = await open(hub);
      await historyOf(source);
      await hub.advance(5000);
      await pointOf(source);
      source.close();
      await hub.stop();
    });

    test(`ends properly when the hub stops (${transport})`, async () => {
      const hub = (await TestHub.start({ TRANSPORT: transport, DRAIN_SECONDS: '1' })).first;
      const source = await open(hub);
      await historyOf(source);
      const stopped = hub.hub.stop();
      await hub.advance(1200);
      assert.equal(await source.ended, true);
      await stopped;
      await hub.stop();
    });
  }
});
