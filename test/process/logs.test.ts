import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestKey } from '../support/data/keys.js';
import { TestSocket } from '../support/clients/test-socket.js';
import { HubProcess, type Line, scratchFolder } from './hub-process.js';

/** Begins a session of a provider. */
async function beginSession(hub: HubProcess, key: TestKey): Promise<TestSocket> {
  const socket = await TestSocket.open(`${hub.url.replace('http', 'ws')}/api/v1/ws`, 'json');
  const { nonce } = await socket.next('welcome');
  const t = Date.now();
  const signature = key.sign('session', key.publicKey, t, `${String(nonce)}\n${new URL(hub.url).host}`);
  socket.send({ type: 'authenticate', id: 1, provider_id: key.publicKey, t, signature });
  await socket.next('authenticated');
  return socket;
}

test('the log tells an operator who came, who was refused, replaced or limited, in JSON with ISO times and names of levels', async (t) => {
  const hub = await HubProcess.start(scratchFolder(t), {
    DEBUG: 'true',
    ACCESS_LOG: 'true',
    RATE_LIMIT_PER_MINUTE: '6',
  });
  const key = new TestKey();
  const first = await beginSession(hub, key);
  const second = await beginSession(hub, key);
  assert.equal(await first.closeCode(), 4409);
  const payload = '{"ip_address":"203.0.113.7","country":"SE","resources":{"cpu":1,"memory":1,"storage":1}}';
  const at = Date.now();
  const signature = key.sign('advertise', key.publicKey, at, payload);
  second.send({ type: 'advertise', id: 2, payload, t: at, signature });
  await second.next('advertised');
  second.send({ type: 'subscribe', id: 3, filter: {}, resume: 'gone:1' });
  await second.next('subscribed');
  await hub.request('POST', '/api/v1/advertisements', {
    headers: { 'Content-Type': 'application/json', 'X-Provider-ID': 'old-1', 'X-Provider-Signature': 'none' },
    body: payload,
  });
  for (let count = 0; count < 5; count += 1) await hub.request('GET', '/api/v1/advertisements?cpu=2');
  assert.equal(await hub.stop(), 0);

  const lines = hub.output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
  for (const { time, level } of lines) {
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(String(level), /^(debug|info|warn)$/);
  }
  const address = '127.0.0.1';
  const has = (expected: Line): void => {
    const found = lines.some((line) =>
      Object.entries(expected).every(([name, value]) => line[name] === value),
    );
    assert.ok(found, `${JSON.stringify(expected)} in\n${hub.output}`);
  };
  const provider = key.publicKey;
  has({ level: 'debug', msg: 'connection opened', address, codec: 'json' });
  has({ level: 'debug', msg: 'authenticated', provider, address });
  has({ level: 'info', provider, address, before: address });
  has({ level: 'debug', msg: 'connection closed', code: 4409 });
  has({ level: 'debug', msg: 'written', action: 'advertise', provider, address });
  has({ level: 'debug', msg: 'subscribed', address });
  has({ level: 'info', msg: 'a resume was refused: the subscriber starts over from a snapshot', address });
  has({ level: 'debug', msg: 'refused', code: 'AUTH_001', address, provider: 'old-1' });
  has({ level: 'info', msg: 'request', method: 'GET', path: '/api/v1/ws', status: 101, address });
  has({ msg: 'request', method: 'GET', path: '/api/v1/advertisements', search: 'cpu=2', status: 200 });
  has({ msg: 'request', status: 429 });
  has({ level: 'warn', limit: 'RATE_001', addresses: 1, most: address });
});
