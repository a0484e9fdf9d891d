import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { LIMITS } from '../../src/protocol/limits.js';
import { ED25519, keyPairFromSeed, signBytes } from '../../src/protocol/schemes/ed25519.js';
import { verifySignature } from '../../src/protocol/schemes/table.js';
import { formatSignatureHeader, parseSignatureHeader } from '../../src/protocol/signature-header.js';
import {
  sessionPayload,
  type SignedAction,
  signedBytes,
  type SignedFields,
} from '../../src/protocol/signing.js';
import { fromHex, toHex } from '../../src/protocol/text.js';
import { Verifier } from '../../src/registry/write/verifier/verifier.js';
import { type SignatureVector, SIGNATURE_VECTORS } from '../data/signatures.js';
import { TestKey } from '../support/data/keys.js';

const verifier = new Verifier();

function fieldsOf({ action, provider_id: providerId, t, payload }: SignatureVector): SignedFields {
  return { action, providerId, t, payload };
}

/** Asks both implementations, which have to agree, and returns what they say. */
async function isValid(fields: SignedFields, publicKey: string, signature: string): Promise<boolean> {
  const inBrowser = verifySignature(ED25519, fields, publicKey, signature);
  const onHub = await verifier.verify(ED25519, signedBytes(fields), publicKey, signature);
  assert.equal(onHub, inBrowser, `the two implementations disagree on ${signature}`);
  return onHub;
}

for (const vector of SIGNATURE_VECTORS) {
  test(`vector "${vector.name}" is ${vector.valid ? 'accepted' : 'refused'} by both implementations`, async () => {
    assert.equal(await isValid(fieldsOf(vector), vector.public_key, vector.signature), vector.valid);
  });
}

test('the bytes that are signed are those of the vectors', () => {
  const known = SIGNATURE_VECTORS.filter((vector) => vector.signed_bytes_hex !== undefined);
  assert.equal(known.length, 6);
  for (const vector of known)
    assert.equal(toHex(signedBytes(fieldsOf(vector))), vector.signed_bytes_hex, vector.name);
});

test('signing with the seed of a valid vector gives its key and its signature', () => {
  for (const vector of SIGNATURE_VECTORS.filter(({ valid }) => valid)) {
    const pair = keyPairFromSeed(fromHex(vector.secret_seed));
    assert.equal(pair.publicKey, vector.public_key, vector.name);
    assert.equal(signBytes(signedBytes(fieldsOf(vector)), pair), vector.signature, vector.name);
    const key = TestKey.fromSeed(vector.secret_seed);
    assert.equal(key.sign(vector.action, vector.provider_id, vector.t, vector.payload), vector.signature);
  }
});

test('a session is signed over the nonce and the host in lower case', () => {
  const vector = SIGNATURE_VECTORS.find(({ name }) => name === 'session, a host on the default port')!;
  assert.equal(sessionPayload('ab'.repeat(32), 'Hub.Example.ORG'), vector.payload);
});

const SEED = '11'.repeat(32);
const PAIR = keyPairFromSeed(fromHex(SEED));

const signedFields = fc.record(
  {
    action: fc.constantFrom<SignedAction>('advertise', 'withdraw', 'session'),
    providerId: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,20}$/),
    t: fc.integer({ min: 1, max: 2 ** 50 }),
    payload: fc.uint8Array({ maxLength: 200 }),
  },
  { noNullPrototype: true },
);

/** What somebody on the way might do to a signed request. */
type Tampering = (
  fields: SignedFields & { payload: Uint8Array },
  key: string,
  signature: string,
  at: number,
) => [SignedFields, string, string];

function flipBit(bytes: Uint8Array, at: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  flipped[(at >> 3) % bytes.length]! ^= 1 << (at & 7);
  return flipped;
}

const TAMPERINGS: Record<string, Tampering> = {
  'a bit of the signature': (fields, key, signature, at) => [
    fields,
    key,
    toHex(flipBit(fromHex(signature), at)),
  ],
  'a bit of the key': (fields, key, signature, at) => [fields, toHex(flipBit(fromHex(key), at)), signature],
  'a bit of the payload': (fields, key, signature, at) => [
    {
      ...fields,
      payload: fields.payload.length === 0 ? Uint8Array.of(at) : flipBit(fields.payload, at),
    },
    key,
    signature,
  ],
  'a byte more': (fields, key, signature, at) => [
    { ...fields, payload: Buffer.concat([fields.payload, Uint8Array.of(at)]) },
    key,
    signature,
  ],
  'the time': (fields, key, signature, at) => [{ ...fields, t: fields.t + 1 + at }, key, signature],
  'the id': (fields, key, signature, at) => [
    { ...fields, providerId: `${fields.providerId}${String(at)}` },
    key,
    signature,
  ],
  'the action': (fields, key, signature) => [
    { ...fields, action: fields.action === 'advertise' ? 'withdraw' : 'advertise' },
    key,
    signature,
  ],
  'the last digits of the id moved into the time': (fields, key, signature) => [
    { ...fields, providerId: `${fields.providerId}${String(fields.t).slice(0, 1)}` },
    key,
    signature,
  ],
};

test('what was signed is accepted, and refused by both implementations after any tampering', async () => {
  await fc.assert(
    fc.asyncProperty(
      signedFields,
      fc.constantFrom(...Object.keys(TAMPERINGS)),
      fc.nat({ max: 511 }),
      async (fields, tampering, at) => {
        const signature = signBytes(signedBytes(fields), PAIR);
        assert.ok(await isValid(fields, PAIR.publicKey, signature));
        const tampered = TAMPERINGS[tampering]!(fields, PAIR.publicKey, signature, at);
        assert.equal(await isValid(...tampered), false);
      },
    ),
    { numRuns: 25 },
  );
});

test('a signature under a key that is none, or of the wrong form, is refused without an exception', async () => {
  const fields: SignedFields = { action: 'withdraw', providerId: 'a', t: 1, payload: '' };
  const signature = signBytes(signedBytes(fields), PAIR);
  const { publicKey } = PAIR;
  for (const key of ['', publicKey.toUpperCase(), publicKey.slice(2), `${publicKey}00`, 'zz'.repeat(32)])
    assert.equal(await isValid(fields, key, signature), false);
  for (const odd of ['', signature.toUpperCase(), signature.slice(2), `${signature}00`, 'zz'.repeat(64)])
    assert.equal(await isValid(fields, publicKey, odd), false);
});

test('random bytes are never a key with a valid signature, and never an exception', async () => {
  const bytes = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((value) => toHex(value));
  await fc.assert(
    fc.asyncProperty(signedFields, bytes(32), bytes(64), async (fields, key, signature) => {
      assert.equal(await isValid(fields, key, signature), false);
    }),
    { numRuns: 30 },
  );
});

// ---- X-Provider-Signature -------------------------------------------------------------------------------------

const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${String(digits)}}$`));
const header = fc.record(
  {
    t: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    publicKey: hex(64),
    scheme: fc.constant(ED25519),
    signature: hex(128),
  },
  { noNullPrototype: true },
);

test('a signature header that was formatted is read back as it was', () => {
  fc.assert(
    fc.property(header, (value) => {
      assert.deepEqual(parseSignatureHeader(formatSignatureHeader(value)), value);
    }),
  );
});

test('the fields of a signature header come in any order, with spaces around them, and k may be left out', () => {
  fc.assert(
    fc.property(
      header,
      fc.boolean(),
      fc.array(fc.constantFrom('', ' ', '\t'), { minLength: 12, maxLength: 12 }),
      fc.constantFrom([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]),
      ({ t, publicKey, signature }, withKey, blanks, order) => {
        const parts = [
          ['t', String(t)],
          ['k', publicKey],
          ['v1', signature],
        ];
        const text = order
          .filter((index) => withKey || index !== 1)
          .map((index) => {
            const [name, value] = parts[index]!;
            const [a, b, c, d] = blanks.slice(4 * index, 4 * index + 4);
            return `${a!}${name!}${b!}=${c!}${value!}${d!}`;
          })
          .join(',');
        assert.deepEqual(parseSignatureHeader(text), {
          t,
          publicKey: withKey ? publicKey : null,
          scheme: ED25519,
          signature,
        });
      },
    ),
  );
});

test('a signature header that is anything else is refused', () => {
  const key = 'ab'.repeat(32);
  const signature = 'cd'.repeat(64);
  const refused = [
    '',
    'sig',
    `t=1,k=${key}`,
    `k=${key},v1=${signature}`,
    `t=1,t=1,k=${key},v1=${signature}`,
    `t=1,k=${key},k=${key},v1=${signature}`,
    `t=1,k=${key},v1=${signature},v2=${signature}`,
    `t=1,k=${key},v1=${signature},`,
    `t=1;k=${key};v1=${signature}`,
    `T=1,k=${key},v1=${signature}`,
    `t=01,k=${key},v1=${signature}`,
    `t=-1,k=${key},v1=${signature}`,
    `t=+1,k=${key},v1=${signature}`,
    `t=1.0,k=${key},v1=${signature}`,
    `t=1e3,k=${key},v1=${signature}`,
    `t=,k=${key},v1=${signature}`,
    `t=9007199254740993,k=${key},v1=${signature}`,
    `t=99999999999999999,k=${key},v1=${signature}`,
    `t=1,k=,v1=${signature}`,
    `t=1,k=${key.toUpperCase()},v1=${signature}`,
    `t=1,k=${key},v1=${signature.toUpperCase()}`,
    `t=1,k=0x${key.slice(2)},v1=${signature}`,
    `t=1,k=${key}ab,v1=${signature}`,
    `t=1,k=${key},v1=${signature.slice(2)}`,
    `t=1,k=${key},v1=${signature}\n`.padEnd(513),
  ];
  for (const text of refused) assert.equal(parseSignatureHeader(text), null, text);
});

test('no header at all makes the parser throw', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('t', 'k', 'v1', '=', ',', '0', ' ', '\t', '\u{1f600}', 'é'), {
        maxLength: 60,
      }),
      (characters) => {
        const text = characters.join('');
        const parsed = parseSignatureHeader(text);
        assert.ok(parsed === null || Number.isSafeInteger(parsed.t));
      },
    ),
  );
});

test('the clock skew that a signature may have is 300 s', () => {
  assert.equal(LIMITS.maxClockSkewMs, 300_000);
});
