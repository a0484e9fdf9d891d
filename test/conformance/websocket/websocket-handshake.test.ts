import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { type CodecName, type ErrorAnswer, firstOf } from '../../support/hubs/test-hub.js';
import { assertIsoTime, forEachPair, greet, useHub } from '../websocket-support.js';

const SUBPROTOCOL = { json: 'vm-discovery.v1.json', msgpack: 'vm-discovery.v1.msgpack' } as const;
const OTHER: Record<CodecName, CodecName> = { json: 'msgpack', msgpack: 'json' };

interface Refusal {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: ErrorAnswer;
}

/** The answer to a handshake that has to fail. */
async function refusedHandshake(url: string, protocols: string[]): Promise<Refusal> {
  const raw = new WebSocket(url, protocols);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    raw.once('open', () => {
      raw.terminate();
      reject(new Error('the handshake was accepted'));
    });
    raw.once('error', reject);
    raw.once('unexpected-response', (_, answer) => {
      resolve(answer);
    });
  });
  const body = JSON.parse(await text(response)) as ErrorAnswer;
  return { status: response.statusCode, headers: response.headers, body };
}

function assertErrorAnswer({ body }: Refusal, code: string): void {
  assert.deepEqual(Object.keys(body).sort(), ['code', 'message', 'timestamp']);
  assert.equal(body.code, code);
  assert.ok(body.message.length > 0);
  assertIsoTime(body.timestamp);
}

forEachPair('handshake', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair);

  test('the first frame is a welcome that says all a client has to know', async () => {
    const socket = await hub().connect(codec);
    const { epoch, nonce, ...rest } = await socket.next('welcome');
    assert.deepEqual(rest, {
      type: 'welcome',
      version: 1,
      heartbeat_seconds: 30,
      expiry_seconds: 300,
      max_frame_bytes: 65_536,
      server_time: new Date(hub().clock.wall()).toISOString(),
    });
    assert.match(nonce as string, /^[0-9a-f]{64}$/);
    const list = await hub().get('/api/v1/advertisements');
    assert.equal(list.headers.get('x-discovery-cursor')?.split(':')[0], epoch);
  });

  test('every connection gets a fresh nonce', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => hub().connect(codec)));
    const nonces = await Promise.all(sockets.map(async (socket) => (await socket.next('welcome'))['nonce']));
    assert.equal(new Set(nonces).size, 20);
  });

  test('the subprotocol that was offered is confirmed', async () => {
    const socket = await greet(hub(), codec);
    assert.equal(socket.raw.protocol, SUBPROTOCOL[codec]);
  });

  test('of several subprotocols the first known one is taken', async () => {
    const protocols = ['vm-discovery.v2.json', 'chat', SUBPROTOCOL[codec], SUBPROTOCOL[OTHER[codec]]];
    const socket = await greet(hub(), codec, { protocols });
    assert.equal(socket.raw.protocol, SUBPROTOCOL[codec]);
    assert.deepEqual(await socket.settle(), []);
  });

  test('without a subprotocol the connection speaks JSON, and none is confirmed', async () => {
    const socket = await hub().connect('json', { protocols: [] });
    await socket.next('welcome');
    assert.equal(socket.raw.protocol, '');
    assert.deepEqual(await socket.settle(), []);
  });

  test('offering only unknown subprotocols is answered with 400 and an error', async () => {
    const refusal = await refusedHandshake(`ws://${hub().host}/api/v1/ws`, [
      'chat',
      `${SUBPROTOCOL[codec]}2`,
    ]);
    assert.equal(refusal.status, 400);
    assertErrorAnswer(refusal, 'HTTP_400');
    assert.match(refusal.body.message, /vm-discovery\.v1\.json/);
  });

  test('a handshake on another path is not accepted', async () => {
    const refusal = await refusedHandshake(`ws://${hub().host}/api/v1/other`, [SUBPROTOCOL[codec]]);
    assert.equal(refusal.status, 404);
    assertErrorAnswer(refusal, 'HTTP_404');
  });

  test('a plain request for the WebSocket path is answered with 400 and an error', async () => {
    const { status, headers, body } = await hub().get<ErrorAnswer>('/api/v1/ws');
    assert.equal(status, 400);
    assertErrorAnswer({ status, headers: Object.fromEntries(headers), body }, 'HTTP_400');
  });
});

forEachPair('handshakes over the limit of an address', (pair) => {
  const hub = firstOf(useHub(pair, { RATE_LIMIT_PER_MINUTE: '3' }, { own: true }));

  test('are answered with 429, RATE_001 and when to come back', async () => {
    for (let opened = 0; opened < 3; opened += 1) await greet(hub(), pair.codec);
    const refusal = await refusedHandshake(`ws://${hub().host}/api/v1/ws`, [SUBPROTOCOL[pair.codec]]);
    assert.equal(refusal.status, 429);
    assertErrorAnswer(refusal, 'RATE_001');
    assert.match(refusal.headers['retry-after'] ?? '', /^[1-9][0-9]?$/);
    const limited = await hub().get('/api/v1/advertisements');
    assert.equal(limited.status, 429, 'requests and handshakes are counted together');
  });
});
