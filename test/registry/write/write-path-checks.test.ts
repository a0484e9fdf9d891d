import assert from 'node:assert/strict';
import test from 'node:test';
import { sessionPayload } from '../../../src/protocol/signing.js';
import type { Claim } from '../../../src/registry/write/claim.js';
import { VerifierUnavailableError } from '../../../src/registry/write/verifier/verifier.js';
import { TestKey } from '../../support/data/keys.js';
import { PAYLOAD, payloadNamed, refusal, T0, WriteBench } from '../../support/worlds/write-bench.js';

const key = new TestKey();
const otherKey = new TestKey();
const SKEW_MS = 300_000;

test('a signed advertisement is stored with what was signed, and answered as clients receive it', async () => {
  const bench = new WriteBench();
  const t = bench.nextT();
  const advertisement = await bench.advertise(key, 'a', { t, payload: payloadNamed('Göteborg ⚡') });
  assert.equal(advertisement.name, 'Göteborg ⚡');
  assert.equal(advertisement.status, 'live');
  assert.equal(advertisement.verified, true);
  assert.equal(advertisement.created_at, new Date(T0).toISOString());
  assert.deepEqual(advertisement, bench.registry.advertisement('a'));
  const proof = bench.registry.proof('a');
  assert.deepEqual(proof, {
    provider_id: 'a',
    scheme: 'ed25519',
    public_key: key.publicKey,
    t,
    payload: payloadNamed('Göteborg ⚡'),
    signature: key.sign('advertise', 'a', t, payloadNamed('Göteborg ⚡')),
  });
  assert.deepEqual(bench.persistence.identities.get('a'), {
    providerId: 'a',
    publicKey: key.publicKey,
    lastT: t,
    seenAt: T0,
  });
});

test('the checks come in the order of the contract: time, signature, owner, replay', async () => {
  const bench = new WriteBench();
  const used = bench.nextT();
  await bench.advertise(key, 'a', { t: used });
  const attempt = (by: TestKey, t: number, signedT = t) => {
    const signature = by.sign('advertise', 'a', signedT, PAYLOAD);
    const claim: Claim = { signed: true, providerId: 'a', publicKey: by.publicKey, t, signature };
    return refusal(bench.writePath.advertise(claim, Buffer.from(PAYLOAD), null));
  };
  const stale = T0 - SKEW_MS - 1;
  assert.equal(await attempt(otherKey, stale, 1), 'AUTH_002', 'everything is wrong: the time comes first');
  assert.equal(await attempt(otherKey, used, 1), 'AUTH_001', 'then the signature');
  assert.equal(await attempt(otherKey, used), 'AUTH_004', 'then the owner');
  assert.equal(await attempt(key, used), 'AUTH_002', 'then the replay');
  assert.equal(await attempt(key, used + 1), 'accepted');
});

test('t may differ from the hub’s clock by 300 s, either way, and no more', async () => {
  for (const [offset, expected] of [
    [-SKEW_MS, 'accepted'],
    [SKEW_MS, 'accepted'],
    [-SKEW_MS - 1, 'AUTH_002'],
    [SKEW_MS + 1, 'AUTH_002'],
  ] as const) {
    const bench = new WriteBench();
    assert.equal(await refusal(bench.advertise(key, 'a', { t: T0 + offset })), expected);
  }
});

test('a signature of one action is never valid as another', async () => {
  const bench = new WriteBench();
  await bench.advertise(key, 'a');
  const asWithdrawal = bench.claim(key, 'a', 'advertise', '');
  assert.equal(await refusal(bench.writePath.withdraw(asWithdrawal, null)), 'AUTH_001');
  const asAdvertisement = bench.claim(key, 'a', 'withdraw', PAYLOAD);
  assert.equal(
    await refusal(bench.writePath.advertise(asAdvertisement, Buffer.from(PAYLOAD), null)),
    'AUTH_001',
  );
});

test('a t that was accepted, or an earlier one, is refused, also after a withdrawal', async () => {
  const bench = new WriteBench();
  await bench.advertise(key, 'a', { t: T0 + 10 });
  for (const t of [T0 + 10, T0 + 9]) {
    assert.equal(await refusal(bench.advertise(key, 'a', { t })), 'AUTH_002');
    assert.equal(await refusal(bench.withdraw(key, 'a', { t })), 'AUTH_002');
  }
  await bench.withdraw(key, 'a', { t: T0 + 11 });
  assert.equal(await refusal(bench.advertise(key, 'a', { t: T0 + 10 })), 'AUTH_002');
  assert.equal(await refusal(bench.advertise(key, 'a', { t: T0 + 11 })), 'AUTH_002');
  await bench.advertise(key, 'b', { t: T0 + 10 });
  await bench.advertise(key, 'a', { t: T0 + 12 });
});

test('a withdrawal of nothing is ADV_004, and its t counts as used all the same', async () => {
  const bench = new WriteBench();
  assert.equal(await refusal(bench.withdraw(key, 'a', { t: T0 + 5 })), 'ADV_004');
  assert.equal(await refusal(bench.advertise(key, 'a', { t: T0 + 5 })), 'AUTH_002');
  assert.equal(bench.persistence.identities.get('a')?.lastT, T0 + 5);
});

test('the first valid signature binds a name to its key, beyond the advertisement', async () => {
  const bench = new WriteBench();
  await bench.advertise(key, 'a');
  assert.equal(await refusal(bench.advertise(otherKey, 'a')), 'AUTH_004');
  assert.equal(await refusal(bench.withdraw(otherKey, 'a')), 'AUTH_004');
  await bench.withdraw(key, 'a');
  assert.equal(await refusal(bench.advertise(otherKey, 'a')), 'AUTH_004');
  bench.clock.advance(31 * 24 * 3_600_000);
  assert.equal(await refusal(bench.advertise(otherKey, 'a')), 'accepted', 'it has lapsed');
  assert.equal(await refusal(bench.advertise(key, 'a')), 'AUTH_004');
});

test('a name does not lapse while its owner is here, whatever the wall clock does', async () => {
  const bench = new WriteBench();
  const days = 40 * 24 * 3_600_000;
  await bench.advertise(key, 'a');
  bench.clock.advance(days);
  assert.equal(await refusal(bench.advertise(otherKey, 'a')), 'AUTH_004', 'it advertises');
  await bench.withdraw(key, 'a');
  bench.registry.attach('a');
  bench.clock.advance(days);
  assert.equal(await refusal(bench.advertise(otherKey, 'a')), 'AUTH_004', 'it has a session');
});

test('what was not signed does not keep the name of a key that is long gone', async () => {
  // No clean-up comes by to forget what has lapsed.
  const bench = new WriteBench({ expiryMs: 2000, cleanupMs: 1_000_000 });
  await bench.advertise(key, 'a');
  await bench.withdraw(key, 'a');
  bench.clock.advance(31 * 24 * 3_600_000);
  const post = () =>
    bench.writePath.advertise({ signed: false, providerId: 'a' }, Buffer.from(PAYLOAD), null);
  assert.equal(await refusal(post()), 'accepted');
  assert.equal(await refusal(post()), 'accepted', 'the name is still free');
  bench.run(3000);
  assert.equal(bench.registry.find('a'), null);
  assert.equal(await refusal(bench.advertise(otherKey, 'a')), 'accepted', 'its end brings no binding back');
});

test('a key id can only be used by the key that it is', async () => {
  const bench = new WriteBench();
  assert.equal(await refusal(bench.advertise(otherKey, key.publicKey)), 'AUTH_004');
  await bench.advertise(key, key.publicKey);
  assert.equal(bench.registry.store.size, 1);
});

test('unsigned requests never touch what a key owns, nor claim a key id; what they say is not verified', async () => {
  const bench = new WriteBench();
  await bench.advertise(key, 'bound');
  const unsigned = (providerId: string): Claim => ({ signed: false, providerId });
  const post = (id: string) => bench.writePath.advertise(unsigned(id), Buffer.from(PAYLOAD), null);
  for (const id of ['bound', key.publicKey, otherKey.publicKey]) {
    assert.equal(await refusal(post(id)), 'AUTH_004');
    assert.equal(await refusal(bench.writePath.withdraw(unsigned(id), null)), 'AUTH_004');
  }
  const ethereum = `0x${'ab'.repeat(20)}`;
  for (const id of ['free', ethereum]) {
    await post(id);
    assert.equal(bench.registry.advertisement(id)?.verified, false);
    assert.equal(bench.registry.proof(id), null);
  }
  assert.equal(bench.registry.proof('nobody'), undefined);
  // The first valid signature takes over a name that was used unsigned.
  await bench.advertise(key, 'free');
  assert.equal(bench.registry.advertisement('free')?.verified, true);
  assert.equal(await refusal(post('free')), 'AUTH_004');
  await bench.writePath.withdraw(unsigned(ethereum), null);
  assert.equal(await refusal(bench.writePath.withdraw(unsigned(ethereum), null)), 'ADV_004');
  assert.equal(bench.registry.find(ethereum), null);
});

test('an advertisement that is not acceptable is refused after the signature was checked, and nothing is stored', async () => {
  const bench = new WriteBench();
  const t = bench.nextT();
  const cases: [payload: string, expected: string][] = [
    ['{', 'payload unreadable'],
    ['[]', 'ADV_001'],
    ['{}', 'ADV_001'],
    [PAYLOAD.replace('"cpu":4', '"cpu":0'), 'ADV_002'],
    [PAYLOAD.replace('SE', 'XX'), 'ADV_001'],
    [`${PAYLOAD}${' '.repeat(16_384)}`, 'payload too-large'],
    [`${'['.repeat(20)}${']'.repeat(20)}`, 'payload unreadable'],
  ];
  for (const [payload, expected] of cases)
    assert.equal(await refusal(bench.advertise(key, 'a', { payload, t })), expected, payload.slice(0, 100));
  assert.deepEqual(bench.persistence.writes, []);
  await bench.advertise(key, 'a', { t });
});

test('created_at stays across updates and is new after a removal', async () => {
  const bench = new WriteBench();
  await bench.advertise(key, 'a');
  bench.run(1000);
  const updated = await bench.advertise(key, 'a', { payload: payloadNamed('new') });
  assert.equal(Date.parse(updated.created_at), T0);
  assert.equal(Date.parse(updated.updated_at), T0 + 1000);
  await bench.withdraw(key, 'a');
  const again = await bench.advertise(key, 'a');
  assert.equal(Date.parse(again.created_at), T0 + 1000);
});

test('when too many signatures wait to be verified the answer is 503, to come back', async () => {
  const bench = new WriteBench({ verify: () => Promise.reject(new VerifierUnavailableError()) });
  assert.equal(await refusal(bench.advertise(key, 'a')), 'ADV_001, unavailable');
  const broken = new WriteBench({ verify: () => Promise.reject(new TypeError('a bug')) });
  assert.equal(await refusal(broken.advertise(key, 'a')), 'TypeError');
});

// ---- sessions -------------------------------------------------------------------------------------------------

const NONCE = 'ab'.repeat(32);

function authenticate(
  bench: WriteBench,
  options: { by?: TestKey; id?: string; t?: number; host?: string; nonce?: string; others?: string[] },
): Promise<void> {
  const { by = key, id = 'a', host = 'hub.example', nonce = NONCE, t = bench.nextT(), others = [] } = options;
  const claim = bench.claim(by, id, 'session', sessionPayload(nonce, host), t);
  return bench.writePath.authenticate(claim, NONCE, ['hub.example', 'hub.example:443'], others);
}

test('a session is authenticated for any of the acceptable hosts, and binds a free name', async () => {
  const bench = new WriteBench();
  await authenticate(bench, {});
  await authenticate(bench, { host: 'hub.example:443' });
  assert.equal(bench.registry.identities.ownerOf('a', T0), key.publicKey);
  assert.deepEqual(bench.persistence.identities.get('a'), {
    providerId: 'a',
    publicKey: key.publicKey,
    lastT: 0,
    seenAt: T0,
  });
  assert.equal(bench.persistence.writes.length, 1, 'a name that is bound is not written again');
});

test('a session that was signed for another host, nonce, time or by another key is refused', async () => {
  const bench = new WriteBench();
  await bench.advertise(key, 'a');
  assert.equal(await refusal(authenticate(bench, { host: 'evil.example' })), 'AUTH_001');
  assert.equal(
    await refusal(authenticate(bench, { host: 'evil.example', others: ['evil.example'] })),
    'AUTH_005',
  );
  assert.equal(await refusal(authenticate(bench, { nonce: 'cd'.repeat(32) })), 'AUTH_001');
  assert.equal(await refusal(authenticate(bench, { t: T0 - SKEW_MS - 1 })), 'AUTH_002');
  assert.equal(await refusal(authenticate(bench, { t: T0 + SKEW_MS + 1 })), 'AUTH_002');
  assert.equal(await refusal(authenticate(bench, { by: otherKey })), 'AUTH_004');
  assert.equal(await refusal(authenticate(bench, { by: otherKey, id: key.publicKey })), 'AUTH_004');
});

test('a session may be opened with a t that was used already: its nonce makes it fresh', async () => {
  const bench = new WriteBench();
  await bench.advertise(key, 'a', { t: T0 + 10 });
  await authenticate(bench, { t: T0 + 10 });
  await authenticate(bench, { t: T0 + 5 });
  assert.equal(await refusal(bench.advertise(key, 'a', { t: T0 + 10 })), 'AUTH_002');
});

test('a name that could not be bound durably is not bound', async () => {
  const bench = new WriteBench();
  bench.persistence.hold();
  const attempt = refusal(authenticate(bench, {}));
  while (bench.persistence.waiting === 0) await new Promise(setImmediate);
  assert.equal(bench.registry.identities.ownerOf('a', T0), undefined);
  await bench.persistence.fail();
  assert.equal(await attempt, 'ADV_001, unavailable');
  assert.equal(bench.registry.identities.ownerOf('a', T0), undefined);
  await bench.persistence.release();
  await authenticate(bench, { by: otherKey });
  assert.equal(bench.registry.identities.ownerOf('a', T0), otherKey.publicKey);
});
