import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import nacl from 'tweetnacl';
import {
  ED25519,
  isAcceptablePublicKey,
  isAcceptableSignature,
  keyPairFromSeed,
  signBytes,
} from '../../src/protocol/schemes/ed25519.js';
import { verifySignature } from '../../src/protocol/schemes/table.js';
import { signedBytes, type SignedFields } from '../../src/protocol/signing.js';
import { fromHex } from '../../src/protocol/text.js';
import { Verifier } from '../../src/registry/write/verifier/verifier.js';
import {
  decodeNumber,
  encode,
  encodePoint,
  FIELD_PRIME,
  GROUP_ORDER,
  multiply,
  smallOrderPoints,
} from '../support/data/curve.js';
import { TestKey } from '../support/data/keys.js';

const verifier = new Verifier();
const SMALL_ORDER = smallOrderPoints();
const FIELDS: SignedFields = { action: 'advertise', providerId: 'a', t: 1, payload: '{}' };

test('there are eight points of small order, the sum of eight of each being the neutral element', () => {
  assert.equal(new Set(SMALL_ORDER.map(encodePoint)).size, 8);
  for (const point of SMALL_ORDER) assert.deepEqual(multiply(point, 8n), { x: 0n, y: 1n });
});

test('none of the eight points of small order is a key, whatever its sign bit says', () => {
  for (const { y } of SMALL_ORDER) {
    assert.equal(isAcceptablePublicKey(encode(y, 0n)), false, encode(y, 0n));
    assert.equal(isAcceptablePublicKey(encode(y, 1n)), false, encode(y, 1n));
  }
});

test('signatures that nobody made, which a point of small order verifies, are refused by all implementations', async () => {
  const signatures = SMALL_ORDER.map((point) => `${encodePoint(point)}${'00'.repeat(32)}`);
  let forged = false;
  for (const key of SMALL_ORDER.map(encodePoint)) {
    for (const signature of signatures) {
      // Without further checks the library says yes to some of them; one is enough to know.
      forged ||= nacl.sign.detached.verify(signedBytes(FIELDS), fromHex(signature), fromHex(key));
      assert.equal(verifySignature(ED25519, FIELDS, key, signature), false);
      assert.equal(await verifier.verify(ED25519, signedBytes(FIELDS), key, signature), false);
    }
  }
  assert.ok(forged, 'no forgery was even tried');
});

test('all encodings of a y that is not below the prime are refused', () => {
  for (let y = FIELD_PRIME; y < 2n ** 255n; y += 1n) {
    assert.equal(isAcceptablePublicKey(encode(y, 0n)), false);
    assert.equal(isAcceptablePublicKey(encode(y, 1n)), false);
  }
  assert.equal(isAcceptablePublicKey(encode(FIELD_PRIME - 2n, 0n)), true);
  assert.equal(isAcceptablePublicKey(encode(FIELD_PRIME - 2n, 1n)), true);
});

test('keys that were made properly are accepted', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
      const key = TestKey.fromSeed(Buffer.from(seed).toString('hex'));
      assert.equal(isAcceptablePublicKey(key.publicKey), true);
    }),
    { numRuns: 30 },
  );
});

test('a signature whose S is not reduced is refused, although it satisfies the equation', async () => {
  const pair = keyPairFromSeed(Buffer.alloc(32, 7));
  for (let t = 1; t <= 5; t += 1) {
    const fields = { ...FIELDS, t };
    const signature = signBytes(signedBytes(fields), pair);
    assert.equal(isAcceptableSignature(signature), true);
    const s = decodeNumber(signature.slice(64));
    for (let more = s + GROUP_ORDER; more < 2n ** 256n; more += 5n * GROUP_ORDER) {
      const malleated = signature.slice(0, 64) + encode(more, 0n);
      assert.equal(isAcceptableSignature(malleated), false);
      assert.equal(verifySignature(ED25519, fields, pair.publicKey, malleated), false);
      assert.equal(await verifier.verify(ED25519, signedBytes(fields), pair.publicKey, malleated), false);
    }
  }
});

test('S is acceptable exactly below the group order', () => {
  const withS = (s: bigint) => '11'.repeat(32) + encode(s, 0n);
  assert.equal(isAcceptableSignature(withS(0n)), true);
  assert.equal(isAcceptableSignature(withS(GROUP_ORDER - 1n)), true);
  assert.equal(isAcceptableSignature(withS(GROUP_ORDER)), false);
  assert.equal(isAcceptableSignature(withS(GROUP_ORDER + 1n)), false);
  assert.equal(isAcceptableSignature(withS(2n ** 256n - 1n)), false);
});
