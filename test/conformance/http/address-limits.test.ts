import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { assertError as assertHttpError, itemPath, LIST } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { Metrics } from '../../support/clients/prometheus.js';
import { ADVERTISEMENT, type Answer, firstOf, nextT, type TestHub } from '../../support/hubs/test-hub.js';
import {
  assertError,
  assertServes,
  closesWith,
  eventually,
  forEachPair,
  greet,
  greetWithNonce,
  Provider,
  refused,
  sessionFrame,
  unique,
  useHub,
} from '../websocket-support.js';

/** Clients are told apart by what a trusted proxy says of them. */
const BEHIND_PROXY = { TRUST_PROXY: '127.0.0.1' };

type Headers = Record<string, string>;
let lastHost = 0;

/** The headers of an address that no other test uses. */
function someAddress(): Headers {
  lastHost += 1;
  return { 'X-Forwarded-For': `198.51.${String(lastHost >> 8)}.${String(lastHost & 255)}` };
}

async function refusals(hub: TestHub, code: string): Promise<number> {
  const text = await (await fetch(`${hub.url}/metrics`)).text();
  return new Metrics(text).value('discovery_refusals_total', `code="${code}"`);
}

/** Posts over HTTP from an address. */
function post(
  hub: TestHub,
  from: Headers,
  key: TestKey,
  id = key.publicKey,
  signed: object = ADVERTISEMENT,
): Promise<Answer<unknown>> {
  const body = JSON.stringify(ADVERTISEMENT);
  const headers = key.headers('advertise', id, nextT(hub.clock), JSON.stringify(signed));
  return hub.request('POST', LIST, {
    headers: { 'Content-Type': 'application/json', ...headers, ...from },
    body,
  });
}

/** The status, and the body, of a handshake that is refused. */
function refusedHandshake(hub: TestHub, from: Headers): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${hub.host}/api/v1/ws`, { headers: from });
    socket.on('open', () => {
      socket.terminate();
      reject(new Error('the handshake was accepted'));
    });
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (_, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => {
        assert.match(response.headers['retry-after'] ?? '', /^\d+$/);
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
  });
}

forEachPair('connections of an address', (pair) => {
  const hub = firstOf(useHub(pair, { ...BEHIND_PROXY, MAX_CONNECTIONS_PER_ADDRESS: '3' }));

  test('one too many is refused with RATE_002 until another is closed; others are not concerned', async () => {
    const headers = someAddress();
    const before = await refusals(hub(), 'RATE_002');
    const open = [];
    for (let count = 0; count < 3; count += 1) open.push(await greet(hub(), pair.codec, { headers }));
    const { status, body } = await refusedHandshake(hub(), headers);
    const { code, message } = JSON.parse(body) as { code: string; message: string };
    assert.deepEqual([status, code], [429, 'RATE_002']);
    assert.match(message, new RegExp(`${headers['X-Forwarded-For']!} has 3 connections`));
    assert.equal(await refusals(hub(), 'RATE_002'), before + 1);
    await greet(hub(), pair.codec, { headers: someAddress() });
    for (const socket of open) assert.deepEqual(await socket.settle(), []);
    const { connections } = hub().hub.gateway;
    open[0]!.close();
    await eventually('the hub has noticed', () => hub().hub.gateway.connections < connections);
    await greet(hub(), pair.codec, { headers });
    assert.equal((await refusedHandshake(hub(), headers)).status, 429);
  });
});

forEachPair('subscriptions of an address, and filters in all', (pair) => {
  const { codec } = pair;
  const settings = { ...BEHIND_PROXY, MAX_SUBSCRIPTIONS_PER_ADDRESS: '4', MAX_FILTERS: '9' };
  const hub = firstOf(useHub(pair, settings, { own: true }));
  const filter = (): object => ({ payments_network: unique() });

  test('one too many is refused with WS_004, over however many connections, until one ends', async () => {
    const headers = someAddress();
    const first = await greet(hub(), codec, { headers });
    const second = await greet(hub(), codec, { headers });
    const shared = filter();
    const streams: string[] = [];
    for (const [index, socket] of [first, first, second, second].entries()) {
      socket.send({ type: 'subscribe', id: index, filter: index === 0 || index === 2 ? shared : filter() });
      streams.push((await socket.next('subscribed'))['stream'] as string);
      await socket.next('snapshot');
    }
    const before = await refusals(hub(), 'WS_004');
    const message = await refused(second, { type: 'subscribe', id: 9, filter: filter() }, 'WS_004');
    assert.match(message, /4 subscriptions already/);
    assert.equal(await refusals(hub(), 'WS_004'), before + 1);
    second.send({ type: 'subscribe', id: 'again', filter: shared });
    await second.next('subscribed');
    await second.next('snapshot');

    first.send({ type: 'unsubscribe', id: 10, stream: streams[1]! });
    await first.next('unsubscribed');
    second.send({ type: 'subscribe', id: 11, filter: filter() });
    await second.next('subscribed');
    await second.next('snapshot');
    await refused(first, { type: 'subscribe', id: 12, filter: filter() }, 'WS_004');
    const { subscriptions } = hub().hub.gateway.streams;
    second.terminate();
    await eventually('they have ended', () => hub().hub.gateway.streams.subscriptions === subscriptions - 3);
    first.send({ type: 'subscribe', id: 13, filter: filter() });
    await first.next('subscribed');
    first.close();
    await eventually('all have ended', () => hub().hub.gateway.streams.subscriptions === 0);
  });

  test('a filter too many is refused with WS_005, one that is in use is not', async () => {
    const filters = Array.from({ length: 9 }, filter);
    const sockets = [];
    for (const [index, one] of filters.entries()) {
      const socket = await greet(hub(), codec, { headers: someAddress() });
      socket.send({ type: 'subscribe', id: index, filter: one });
      await socket.next('subscribed');
      sockets.push(socket);
    }
    const socket = await greet(hub(), codec, { headers: someAddress() });
    assert.match(
      await refused(socket, { type: 'subscribe', id: 1, filter: filter() }, 'WS_005'),
      /9 different filters/,
    );
    socket.send({ type: 'subscribe', id: 2, filter: filters[4] });
    await socket.next('subscribed');
    await socket.next('snapshot');
    sockets[0]!.terminate();
    await eventually('its stream is gone', () => hub().hub.gateway.streams.streams === 8);
    socket.send({ type: 'subscribe', id: 3, filter: filter() });
    await socket.next('subscribed');
  });
});

forEachPair('subscriptions that an address begins', (pair) => {
  const hub = firstOf(useHub(pair, { ...BEHIND_PROXY, SUBSCRIBES_PER_MINUTE: '3' }));

  test('one too many in a minute is refused with RATE_006, and the connection goes on', async () => {
    const headers = someAddress();
    const [first, second] = [
      await greet(hub(), pair.codec, { headers }),
      await greet(hub(), pair.codec, { headers }),
    ];
    const filter = { payments_network: unique() };
    const begin = async (socket: typeof first): Promise<void> => {
      socket.send({ type: 'subscribe', id: 1, filter });
      await socket.next('subscribed');
      await socket.next('snapshot');
    };
    for (const socket of [first, second, first]) await begin(socket);
    const before = await refusals(hub(), 'RATE_006');
    await refused(second, { type: 'subscribe', id: 2, filter }, 'RATE_006');
    assert.equal(await refusals(hub(), 'RATE_006'), before + 1);
    await begin(await greet(hub(), pair.codec, { headers: someAddress() }));
    await hub().advance(60_200);
    await second.next('bookmark', []);
    await begin(second);
  });
});

forEachPair('advertisements of an address', (pair) => {
  const { codec } = pair;
  const hub = firstOf(useHub(pair, { ...BEHIND_PROXY, MAX_ADVERTISEMENTS_PER_ADDRESS: '2' }));

  test('one too many is refused with RATE_003, over HTTP and sockets alike, until one is gone', async () => {
    const headers = someAddress();
    const [first, second, third] = [new TestKey(), new TestKey(), new TestKey()];
    assert.equal((await post(hub(), headers, first)).status, 200);
    const provider = await Provider.join(hub(), codec, { headers, key: second });
    await provider.advertise();
    const before = await refusals(hub(), 'RATE_003');
    assertHttpError(await post(hub(), headers, third), 429, 'RATE_003');
    const late = await Provider.join(hub(), codec, { headers, key: third });
    await refused(late.socket, late.advertiseFrame(), 'RATE_003');
    assert.equal(await refusals(hub(), 'RATE_003'), before + 2);
    assert.equal(await late.seen(), null, 'nothing of it is stored');

    // Those that are there may be changed, and other addresses are not concerned.
    assert.equal((await post(hub(), headers, first)).status, 200);
    await provider.advertise({ country: 'NO' });
    assert.equal((await post(hub(), someAddress(), new TestKey())).status, 200);

    await provider.withdraw();
    await late.advertise();
    await refused(provider.socket, provider.advertiseFrame(), 'RATE_003');
    await hub().advance(301_000);
    assert.equal((await hub().get(itemPath(first.publicKey))).status, 404);
    await provider.advertise();
  });

  test('many at once are no more than one after the other', async () => {
    const headers = someAddress();
    const answers = await Promise.all(Array.from({ length: 12 }, () => post(hub(), headers, new TestKey())));
    assert.equal(answers.filter(({ status }) => status === 200).length, 2);
    assert.equal(answers.filter(({ status }) => status === 429).length, 10);
  });

  test('who moves counts where they are now', async () => {
    const [here, there] = [someAddress(), someAddress()];
    const keys = Array.from({ length: 4 }, () => new TestKey());
    for (const key of keys.slice(0, 2)) assert.equal((await post(hub(), here, key)).status, 200);
    assert.equal((await post(hub(), there, keys[0]!)).status, 200);
    assert.equal((await post(hub(), here, keys[2]!)).status, 200);
    assert.equal((await post(hub(), there, keys[3]!)).status, 200);
    assertHttpError(await post(hub(), there, keys[1]!), 429, 'RATE_003');
  });
});

forEachPair('names bound in bulk', (pair) => {
  const { codec } = pair;
  const hub = firstOf(useHub(pair, { ...BEHIND_PROXY, NEW_NAMES_PER_DAY: '3' }));

  test('one too many in a day is refused with RATE_004; keys, names that are bound, and others are not', async () => {
    const headers = someAddress();
    const key = new TestKey();
    const names = Array.from({ length: 5 }, () => unique('name'));
    assert.equal((await post(hub(), headers, key, names[0])).status, 200);
    await Provider.join(hub(), codec, { headers, key, id: names[1]! });
    assert.equal((await post(hub(), headers, key, names[2])).status, 200);
    const before = await refusals(hub(), 'RATE_004');
    assertHttpError(await post(hub(), headers, key, names[3]), 429, 'RATE_004');
    const { socket, nonce } = await greetWithNonce(hub(), codec, { headers });
    socket.send(sessionFrame(hub(), key, nonce, { providerId: names[3]! }));
    assertError(await socket.next('error'), 'RATE_004', 'who');
    await closesWith(socket, 4529);
    assert.equal(await refusals(hub(), 'RATE_004'), before + 2);

    assert.equal((await post(hub(), headers, new TestKey())).status, 200);
    assert.equal((await post(hub(), headers, key, names[1])).status, 200);
    assert.equal((await post(hub(), someAddress(), new TestKey(), names[3])).status, 200);
    assertHttpError(await post(hub(), headers, key, names[3]), 403, 'AUTH_004');
    // Coarser steps than those of the hub's tests: it is a day.
    for (let hour = 0; hour < 25; hour += 1) {
      for (let passed = 0; passed < 3_600_000; passed += 900) {
        hub().clock.advance(900);
        hub().hub.tick();
      }
      await hub().advance(0);
    }
    assert.equal((await post(hub(), headers, key, names[4])).status, 200);
  });
});

forEachPair('a flood of invalid signatures', (pair) => {
  const { codec } = pair;
  const hub = firstOf(useHub(pair, { ...BEHIND_PROXY, INVALID_SIGNATURES_PER_MINUTE: '5' }));
  const forged = { ...ADVERTISEMENT, country: 'NO' };

  test('is not looked at any more after so many; others get in, and a minute later everybody does', async () => {
    const headers = someAddress();
    const provider = await Provider.join(hub(), codec, { headers });
    await provider.advertise();
    const key = new TestKey();
    for (let count = 0; count < 3; count += 1) {
      assertHttpError(await post(hub(), headers, key, undefined, forged), 401, 'AUTH_001');
    }
    const { socket, nonce } = await greetWithNonce(hub(), codec, { headers });
    socket.send(sessionFrame(hub(), key, `${nonce.slice(1)}0`));
    assertError(await socket.next('error'), 'AUTH_001', 'who');
    await closesWith(socket, 4401);
    const frame = provider.advertiseFrame();
    await refused(provider.socket, { ...frame, payload: JSON.stringify(forged) }, 'AUTH_001');

    const before = await refusals(hub(), 'RATE_005');
    const answer = await post(hub(), headers, key, undefined, forged);
    assertHttpError(answer, 429, 'RATE_005');
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
    assertHttpError(await post(hub(), headers, key), 429, 'RATE_005');
    await refused(provider.socket, provider.advertiseFrame(), 'RATE_005');
    const late = await greetWithNonce(hub(), codec, { headers });
    late.socket.send(sessionFrame(hub(), key, late.nonce));
    assertError(await late.socket.next('error'), 'RATE_005', 'who');
    await closesWith(late.socket, 4529);
    assert.equal(await refusals(hub(), 'RATE_005'), before + 4);

    assert.equal((await post(hub(), someAddress(), new TestKey())).status, 200);
    await assertServes(hub(), codec);
    await hub().advance(60_200);
    assert.equal((await post(hub(), headers, key)).status, 200);
    await provider.advertise();
  });
});
