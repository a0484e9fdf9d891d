import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import { assertError, itemPath, onBothTransports } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT, nextT } from '../../support/hubs/test-hub.js';

interface Proof {
  provider_id: string;
  scheme: string;
  public_key: string;
  t: number;
  payload: string;
  signature: string;
}

/** What anybody who does not trust the hub would do, with nothing of the hub's own code. */
function isGenuine(proof: Proof): boolean {
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(proof.public_key, 'hex').toString('base64url') },
    format: 'jwk',
  });
  const signed = `vm-discovery/v1\nadvertise\n${proof.provider_id}\n${String(proof.t)}\n${proof.payload}`;
  return verify(null, Buffer.from(signed, 'utf8'), key, Buffer.from(proof.signature, 'hex'));
}

onBothTransports('the proof of an advertisement', {}, (hub) => {
  const proofOf = async (providerId: string): Promise<Proof> => {
    const answer = await hub().get<Proof>(`${itemPath(providerId)}/proof`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  };

  test('it holds what the provider signed, and can be verified without the hub', async () => {
    const key = new TestKey();
    const t = nextT(hub().clock);
    await hub().post(key, 'proven', ADVERTISEMENT, t);
    const proof = await proofOf('proven');
    assert.deepEqual(Object.keys(proof).sort(), [
      'payload',
      'provider_id',
      'public_key',
      'scheme',
      'signature',
      't',
    ]);
    assert.equal(proof.provider_id, 'proven');
    assert.equal(proof.scheme, 'ed25519');
    assert.equal(proof.public_key, key.publicKey);
    assert.equal(proof.t, t);
    assert.equal(proof.payload, JSON.stringify(ADVERTISEMENT));
    assert.match(proof.signature, /^[0-9a-f]{128}$/);
    assert.ok(isGenuine(proof));
    assert.ok(!isGenuine({ ...proof, t: t + 1 }));
    assert.ok(!isGenuine({ ...proof, payload: `${proof.payload} ` }));
  });

  test('the payload is the sent text to the byte, with what the hub dropped or changed', async () => {
    const key = new TestKey();
    const text =
      '\n{ "name" : "Göteborg \\u26a1 ⚡ 😀",\r\n\t"country":"se", "ip_address":"2001:DB8::0007",' +
      '"later": [1.0, 1e2], "resources":{"storage":40,"cpu":4.0,"memory":8} , "country": "no" }\n\n';
    assert.equal((await hub().post(key, key.publicKey, text)).status, 200);
    const proof = await proofOf(key.publicKey);
    assert.equal(proof.payload, text);
    assert.ok(isGenuine(proof));
  });

  test('it is always of the newest accepted advertisement', async () => {
    const key = new TestKey();
    await hub().post(key, 'renewed');
    const newer = { ...ADVERTISEMENT, country: 'NO' };
    await hub().post(key, 'renewed', newer);
    await hub().post(key, 'renewed', { ...ADVERTISEMENT, country: 'XX' });
    const proof = await proofOf('renewed');
    assert.equal(proof.payload, JSON.stringify(newer));
    assert.ok(isGenuine(proof));
  });

  test('a repetition of the same text with a later time is proven by the later signature', async () => {
    const key = new TestKey();
    await hub().post(key, 'repeated');
    const t = nextT(hub().clock);
    await hub().post(key, 'repeated', ADVERTISEMENT, t);
    const proof = await proofOf('repeated');
    assert.equal(proof.t, t);
    assert.ok(isGenuine(proof));
  });

  test('where k was left out the key is the id', async () => {
    const key = new TestKey();
    const t = nextT(hub().clock);
    const body = JSON.stringify(ADVERTISEMENT);
    const signature = key.sign('advertise', key.publicKey, t, body);
    const posted = await hub().request('POST', '/api/v1/advertisements', {
      headers: { 'X-Provider-ID': key.publicKey, 'X-Provider-Signature': `t=${String(t)},v1=${signature}` },
      body: Buffer.from(body),
    });
    assert.equal(posted.status, 200);
    const proof = await proofOf(key.publicKey);
    assert.equal(proof.public_key, key.publicKey);
    assert.ok(isGenuine(proof));
  });

  test('there is none without an advertisement', async () => {
    assertError(await hub().get(`${itemPath('nobody')}/proof`), 404, 'ADV_004');
  });
});
