import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey, ProviderSession } from '../../../src/client/index.js';
import { ED25519 } from '../../../src/protocol/schemes/ed25519.js';
import { verifySignature } from '../../../src/protocol/schemes/table.js';
import { NONCE, publishedAs } from '../support/fake-hub.js';
import { ADVERTISEMENT, beginSession, cores, KEY, turn } from '../support/session-scene.js';

test('it signs the nonce and the host it dialled, without the default port', () => {
  const { hub } = beginSession();
  hub.peer.welcome();
  const { provider_id, public_key, t, signature } = hub.peer.last('authenticate');
  assert.equal(provider_id, 'p1');
  assert.equal(public_key, KEY.publicKey);
  const fields = {
    action: 'session',
    providerId: 'p1',
    t: t as number,
    payload: `${NONCE}\nhub.example`,
  } as const;
  assert.ok(verifySignature(ED25519, fields, KEY.publicKey, signature as string));
});

test('a nonce that is none is not signed', () => {
  const { hub, session } = beginSession();
  hub.peer.welcome({ nonce: `${NONCE}\nother.example` });
  assert.equal(hub.peer.sent.length, 0);
  assert.equal(session.state, 'waiting');
  assert.equal(session.error?.code, 'UNEXPECTED');
});

test('a hub that takes the provider for another is given up: nothing of another is shown as published', async () => {
  const other = publishedAs('p2');
  for (const answer of [
    { provider_id: 'p2', advertisement: null },
    { provider_id: 'p1', advertisement: other },
  ]) {
    const { hub, session, published } = beginSession();
    hub.peer.welcome();
    hub.peer.say({ type: 'authenticated', id: hub.peer.last('authenticate')['id'], ...answer });
    assert.deepEqual([session.state, session.error?.code], ['waiting', 'UNEXPECTED']);
    assert.equal(session.error?.message, 'the hub answered p1 as if it were p2');
    assert.deepEqual(published, []);
  }
  const { hub, session, published } = beginSession();
  hub.peer.welcome();
  hub.peer.authenticate();
  await turn();
  hub.peer.say({ type: 'advertised', id: hub.peer.last('advertise')['id'], advertisement: other });
  await turn();
  assert.deepEqual(
    [session.state, session.error?.code, session.advertisement],
    ['waiting', 'UNEXPECTED', null],
  );
  assert.deepEqual(published, []);
});

test('ids that the key cannot own are refused at once', () => {
  const options = { key: KEY, advertisement: ADVERTISEMENT };
  const begin = (providerId: string): ProviderSession =>
    new ProviderSession('http://hub.example', { ...options, providerId });
  assert.throws(() => begin('white space'), { code: 'AUTH_001' });
  assert.throws(() => begin(`0x${'ab'.repeat(20)}`), { code: 'AUTH_001' });
  assert.throws(() => begin(generateKey().publicKey), { code: 'AUTH_004' });
  assert.equal(begin(KEY.publicKey).providerId, KEY.publicKey);
});

test('a hub that does not answer a request is tried over a new connection', async () => {
  const { hub, time, session, problems } = beginSession();
  hub.peer.welcome();
  hub.peer.authenticate(null);
  for (let second = 0; second < 30; second += 1) {
    assert.equal(session.state, 'live');
    time.advance(1000);
    hub.peer.ping();
  }
  assert.equal(session.state, 'waiting');
  assert.equal(session.error?.code, 'TIMEOUT');
  await turn();
  assert.deepEqual(problems, []);
  time.advance(1000);
  assert.equal(hub.peers.length, 2);
});

test('a refused authentication ends it, with the reason of the hub', async () => {
  for (const code of ['AUTH_001', 'AUTH_003', 'AUTH_004', 'AUTH_005']) {
    const { hub, time, session } = beginSession();
    const waiting = session.published();
    hub.peer.welcome();
    hub.peer.refuse('authenticate', code, 'because it is so');
    hub.peer.end(4401);
    assert.equal(session.state, 'refused');
    assert.equal(session.error?.code, code);
    assert.equal(session.error.retry, false);
    await assert.rejects(waiting, (error) => error === session.error);
    time.advance(3_600_000);
    assert.equal(hub.peers.length, 1);
    assert.deepEqual(time.waits, []);
  }
});

test('a clock that is off is named as the reason', () => {
  for (const [serverTime, said] of [
    ['2025-12-31T23:50:00.000Z', 'the clock here is 600 s ahead of the hub'],
    ['2026-01-01T00:10:00.000Z', 'the clock here is 600 s behind the hub'],
  ] as const) {
    const { hub, session } = beginSession();
    hub.peer.welcome({ server_time: serverTime });
    hub.peer.refuse('authenticate', 'AUTH_002', 'stale');
    assert.match(session.error!.message, new RegExp(`^stale \\(${said}`));
  }
});

test('a hub whose clock is wrong is tried again with backoff until one of the clocks is put right', () => {
  const { hub, time, session } = beginSession();
  for (let tries = 1; tries <= 8; tries += 1) {
    assert.equal(hub.peers.length, tries);
    hub.peer.welcome({ server_time: new Date(time.now() - 600_000).toISOString() });
    hub.peer.refuse('authenticate', 'AUTH_002', 't lies 600 s after the clock');
    hub.peer.end(4503);
    assert.equal(session.state, 'waiting');
    assert.equal(session.error?.code, 'AUTH_002');
    assert.equal(session.error.retry, true);
    time.advance(Math.min(60_000, 500 * 2 ** (tries - 1)) / 2);
  }
  hub.peer.welcome({ server_time: new Date(time.now()).toISOString() });
  hub.peer.authenticate(null);
  assert.equal(session.state, 'live');
});

test('after its clock was set back, a provider signs with its last time and 1 ms, as far as the hub tolerates it', async () => {
  const { hub, time, session } = beginSession();
  const atHub = (offset = 0): string => new Date(time.now() + offset).toISOString();
  hub.peer.welcome({ server_time: atHub() });
  hub.peer.authenticate(null);
  const first = hub.peer.last('advertise')['t'] as number;
  // By more than a hub tolerates, so that the present here is of no use.
  time.jump(-400_000);
  hub.peer.refuse('advertise', 'AUTH_002', 't lies 400 s before the clock', atHub(400_000));
  await turn();
  time.advance(1000);
  await turn();
  assert.equal(hub.peer.last('advertise')['t'], first + 1);
  // The hub's clock shows that the clock here was wrong before: what was signed then is of no use.
  hub.peer.refuse('advertise', 'AUTH_002', 't lies 400 s after the clock', atHub());
  await turn();
  time.advance(500);
  await turn();
  assert.equal(hub.peer.last('advertise')['t'], time.now());
  void session.stop();
});

test('a hub that is too busy to authenticate is no refusal', () => {
  const { hub, session } = beginSession();
  hub.peer.welcome();
  hub.peer.refuse('authenticate', 'ADV_001', 'too many signatures wait');
  hub.peer.end(4503);
  assert.equal(session.state, 'waiting');
});

test('a session that is replaced stays so', async () => {
  const { hub, time, session } = beginSession();
  hub.peer.welcome();
  hub.peer.authenticate(null);
  const waiting = session.published();
  hub.peer.end(4409, { reason: 'a newer one' });
  assert.equal(session.state, 'replaced');
  await assert.rejects(waiting, { code: 'REPLACED', closeCode: 4409, retry: false });
  await assert.rejects(session.update(cores(5)), { code: 'REPLACED' });
  time.advance(3_600_000);
  assert.equal(hub.peers.length, 1);
});

test('stopping rejects what still waits, without a fuss where nobody listens', async () => {
  const { hub, session, time } = beginSession();
  hub.peer.welcome();
  hub.peer.authenticate(null);
  const waiting = session.published();
  void session.update(cores(5));
  void session.withdraw();
  void session.refresh();
  const stopped = session.stop();
  hub.peer.end(1000);
  await stopped;
  await assert.rejects(waiting, { code: 'SUPERSEDED' });
  await assert.rejects(session.published(), { code: 'STOPPED' });
  void session.withdraw();
  await turn();
  assert.deepEqual(time.waits, []);
});

test('pings of the hub are told as heartbeats', () => {
  const { hub, session } = beginSession();
  let heartbeats = 0;
  session.on('heartbeat', () => (heartbeats += 1));
  hub.peer.welcome();
  hub.peer.authenticate(publishedAs('p1'));
  hub.peer.ping();
  hub.peer.ping();
  assert.equal(heartbeats, 2);
  void session.stop();
  hub.peer.ping();
  assert.equal(heartbeats, 2);
});
