import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey, type KeyPair, type Proof, verifyProof } from '../../../src/client/index.js';
import { signBytes } from '../../../src/protocol/schemes/ed25519.js';
import { signedBytes } from '../../../src/protocol/signing.js';
import { TestAccount } from '../../support/data/ethereum.js';
import { publishedAs } from '../support/fake-hub.js';

const TEXT =
  '{ "country": "se", "ip_address": "192.168.1.100", "resources": {"cpu":4,"memory":8,"storage":40} }';
const KEY = generateKey();

function proofOf(payload: string, providerId = 'p1', key: KeyPair = KEY, t = 1740063600000): Proof {
  const signature = signBytes(signedBytes({ action: 'advertise', providerId, t, payload }), key);
  return { provider_id: providerId, scheme: 'ed25519', public_key: key.publicKey, t, payload, signature };
}

const fails = (proof: unknown, message: RegExp, expected: Parameters<typeof verifyProof>[1] = {}): void => {
  assert.throws(() => verifyProof(proof as Proof, expected), { code: 'PROOF', retry: false, message });
};

test('a proof that holds tells who signed what, and when', () => {
  const verified = verifyProof(proofOf(TEXT), { published: publishedAs('p1'), publicKey: KEY.publicKey });
  assert.equal(verified.providerId, 'p1');
  assert.equal(verified.publicKey, KEY.publicKey);
  assert.equal(verified.signedAt, 1740063600000);
  assert.equal(verified.advertisement.country, 'SE');
  assert.deepEqual(verified.advertisement.resources, { cpu: 4, memory: 8, storage: 40 });
  verifyProof(proofOf(TEXT, KEY.publicKey), { published: publishedAs(KEY.publicKey) });
});

test('whatever is changed in it breaks it', () => {
  const proof = proofOf(TEXT);
  for (const change of [
    { provider_id: 'p2' },
    { t: proof.t + 1 },
    { payload: `${TEXT} ` },
    { payload: TEXT.replace('"cpu":4', '"cpu":8') },
    { public_key: generateKey().publicKey },
    { signature: proof.signature.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) },
    { signature: proofOf(TEXT, 'p1', generateKey()).signature },
  ]) {
    fails({ ...proof, ...change }, /the signature is not valid/);
  }
});

test('a signature of something else is no proof', () => {
  const fields = { providerId: 'p1', t: 1, payload: TEXT };
  for (const action of ['withdraw', 'session'] as const) {
    fails(
      { ...proofOf(TEXT), t: 1, signature: signBytes(signedBytes({ ...fields, action }), KEY) },
      /signature/,
    );
  }
});

test('what does not have the form is refused before anything is computed', () => {
  const proof = proofOf(TEXT);
  for (const change of [
    { signature: proof.signature.toUpperCase() },
    { signature: proof.signature.slice(2) },
    { public_key: 'ab' },
    { t: -1 },
    { t: 1.5 },
    { t: '1740063600000' },
    { payload: '\ud800' },
    { payload: null },
  ]) {
    fails({ ...proof, ...change }, /form/);
  }
  fails(null, /form/);
  fails({ ...proof, provider_id: 'white space' }, /provider id/);
  fails(proofOf(TEXT, `0x${'ab'.repeat(20)}`), /provider id/);
});

test('a proof of an Ethereum account holds without a key, and only as such', () => {
  const account = new TestAccount();
  const { address } = account;
  const proof = {
    provider_id: address,
    scheme: 'eip191' as const,
    public_key: null,
    t: 1,
    payload: TEXT,
    signature: account.sign('advertise', address, 1, TEXT),
  };
  const { scheme, publicKey, providerId } = verifyProof(proof, { published: publishedAs(address) });
  assert.deepEqual([scheme, publicKey, providerId], ['eip191', null, address]);
  const foreign = new TestAccount().sign('advertise', address, 1, TEXT);
  fails({ ...proof, signature: foreign }, /signature/);
  fails({ ...proof, payload: `${TEXT} ` }, /signature/);
  fails({ ...proof, provider_id: account.lower }, /canonical/);
  fails({ ...proof, public_key: KEY.publicKey }, /form/);
  fails({ ...proof, scheme: 'ed25519' }, /does not sign with ed25519/);
  fails({ ...proof, scheme: 'rsa' }, /form/);
  fails({ ...proofOf(TEXT), scheme: 'eip191' }, /does not sign with eip191/);
  fails({ ...proofOf(TEXT), public_key: null }, /form/);
  fails(proof, /another key/, { publicKey: KEY.publicKey });
});

test('a hub that knows one scheme only does not name it', () => {
  const { scheme: _, ...proof } = proofOf(TEXT);
  assert.equal(verifyProof(proof).scheme, 'ed25519');
});

test('a key id is proved by its own key only', () => {
  fails(proofOf(TEXT, generateKey().publicKey), /another key/);
  fails(proofOf(TEXT), /another key, not the expected/, { publicKey: generateKey().publicKey });
});

test('keys and signatures that only a lax verifier takes are refused', () => {
  const proof = proofOf(TEXT);
  // A key of small order, with the signature that it "verifies".
  const smallOrder = `01${'00'.repeat(31)}`;
  fails({ ...proof, public_key: smallOrder, signature: `${smallOrder}${'00'.repeat(32)}` }, /signature/);
  // S plus the group order is the same point.
  const order = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;
  const littleEndian = Buffer.from(proof.signature.slice(64), 'hex').reverse().toString('hex');
  const raised = (BigInt(`0x${littleEndian}`) + order).toString(16).padStart(64, '0');
  const malleable = proof.signature.slice(0, 64) + Buffer.from(raised, 'hex').reverse().toString('hex');
  fails({ ...proof, signature: malleable }, /signature/);
});

test('what was signed has to be an advertisement', () => {
  fails(proofOf('{}'), /not an advertisement/);
  fails(proofOf('no JSON'), /not an advertisement/);
  fails(proofOf(TEXT.replace('se', 'XX')), /country/);
});

test('what the hub shows has to be what was signed', () => {
  const proof = proofOf(TEXT);
  fails(proof, /p2/, { published: publishedAs('p2') });
  for (const change of [
    { country: 'NO' },
    { name: 'better' },
    { resources: { cpu: 8, memory: 8, storage: 40 } },
  ]) {
    fails(proof, /shows something other/, { published: publishedAs('p1', change) });
  }
});
