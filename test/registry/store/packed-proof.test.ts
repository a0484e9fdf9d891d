import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { renderHead } from '../../../src/registry/store/advertisement-json.js';
import { packRow, proofIn, rowBytes, signerIn } from '../../../src/registry/store/packed-row.js';
import type { AdvertisementRecord, ProofRecord } from '../../../src/registry/store/records.js';
import type { UnpackedProof } from '../../../src/registry/store/packed-proof.js';
import { type Content, content, payloadOf, recordOf } from '../../support/data/arbitraries.js';

const KEY = 'ab'.repeat(32);

function packed(record: AdvertisementRecord): { bytes: Buffer; headBytes: number; proofBytes: number } {
  const row = packRow(record, renderHead(record));
  // Another row must not show through.
  return { ...row, bytes: Buffer.from(row.bytes) };
}

function assertKept(providerId: string, said: Content, proof: UnpackedProof): void {
  assertPacked(providerId, said, proof, proof);
  const text = Buffer.from(proof.payload).toString('utf8');
  if (Buffer.from(text).equals(proof.payload))
    assertPacked(providerId, said, { ...proof, payload: text }, proof);
}

/** Packs a proof, and expects to get another one back. */
function assertPacked(providerId: string, said: Content, proof: ProofRecord, expected: UnpackedProof): void {
  const { bytes, headBytes, proofBytes } = packed(recordOf(providerId, said, { proof }));
  assert.equal(bytes.length, rowBytes(headBytes, proofBytes));
  const kept = proofIn(bytes, headBytes, providerId);
  assert.deepEqual({ ...kept, payload: Buffer.from(kept.payload) }, expected);
  assert.deepEqual(signerIn(bytes, headBytes, providerId), { publicKey: proof.publicKey, t: proof.t });
}

const compact = (text: string): string => text;
const spaced = (text: string): string => JSON.stringify(JSON.parse(text), null, 2);
const reversed = (text: string): string =>
  JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text) as object).reverse()));
const withoutNulls = (text: string): string =>
  JSON.stringify(
    Object.fromEntries(Object.entries(JSON.parse(text) as object).filter(([, value]) => value !== null)),
  );

/** Ways of writing the same, and parts that are cut out, doubled or put in anywhere. */
const payload = fc
  .record({
    write: fc.constantFrom(compact, compact, spaced, reversed, withoutNulls),
    at: fc.nat(400),
    cut: fc.constantFrom(0, 0, 0, 1, 7, 300),
    put: fc.constantFrom('', '', '{', '}', '"', ',"extra":1', '{}', 'ü'),
  })
  .map(({ write, at, cut, put }) => (said: Content): Buffer => {
    const text = write(payloadOf(said));
    return Buffer.from(text.slice(0, at) + put + text.slice(at + cut));
  });
const bytes = fc.uint8Array({ maxLength: 40 }).map((some) => () => Buffer.from(some));
const signed = fc.record(
  {
    publicKey: fc.constantFrom(KEY, '00'.repeat(32)),
    t: fc.nat(2 ** 45),
    signature: fc.constantFrom('cd'.repeat(64), 'ff'.repeat(64)),
  },
  { noNullPrototype: true },
);

test('a proof comes back to the byte, however its payload is written', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('a', KEY, 'p-1:x'),
      content,
      signed,
      fc.oneof({ weight: 4, arbitrary: payload }, { weight: 1, arbitrary: bytes }),
      (id, said, proof, payloadFor) => {
        assertKept(id, said, { ...proof, payload: payloadFor(said) });
      },
    ),
    { numRuns: 2000 },
  );
});

test('a payload that says what is shown costs nothing, and neither does a key that is the id', () => {
  const said: Content = {
    ipAddress: '203.0.113.7',
    country: 'SE',
    resources: { cpu: 4, memory: 8, storage: 40, gpu: 1 },
    platform: 'x86_64',
    pricing: { usd_per_core_month: 4.25, note: 'é' },
    name: 'provider-1',
    paymentsNetwork: 'holesky',
    attributes: null,
    endpoint: null,
  };
  const size = (id: string, text: string): number =>
    packed(
      recordOf(id, said, {
        proof: { publicKey: KEY, t: 1, signature: 'cd'.repeat(64), payload: Buffer.from(text) },
      }),
    ).proofBytes;
  const SIGNATURE_AND_TIME = 72;
  const LENGTHS_AND_FLAG = 5;
  const text = payloadOf(said);
  assert.equal(size(KEY, text), SIGNATURE_AND_TIME + LENGTHS_AND_FLAG);
  assert.equal(size('a', text), SIGNATURE_AND_TIME + LENGTHS_AND_FLAG + KEY.length / 2);
  const lessNamed = payloadOf({ ...said, name: null }).replace('"name":null,', '');
  assert.equal(size(KEY, lessNamed), SIGNATURE_AND_TIME + LENGTHS_AND_FLAG);
  assert.equal(size(KEY, `${text}\n`), SIGNATURE_AND_TIME + LENGTHS_AND_FLAG + '}\n'.length);
});

test('texts that look like the members behind them are not taken for those', () => {
  const texts = {
    platform: ',"provider_name":',
    name: ',"provider_name":"",',
    paymentsNetwork: '"provider_name":',
  };
  const said: Content = {
    ipAddress: '203.0.113.7',
    country: 'SE',
    resources: { cpu: 1, memory: 1, storage: 1 },
    pricing: null,
    attributes: { endpoint: 1, provider_name: ',"provider_name":', model: ',"endpoint":null' },
    endpoint: null,
    ...texts,
  };
  const payload = Buffer.from(payloadOf(said));
  assertKept('a', said, { publicKey: KEY, t: 1, signature: 'cd'.repeat(64), payload });
});

test('a payload of any length comes back', () => {
  const said = { resources: { cpu: 1, memory: 1, storage: 1 }, country: 'SE', ipAddress: '203.0.113.7' };
  const none = {
    platform: null,
    pricing: null,
    name: null,
    paymentsNetwork: null,
    attributes: null,
    endpoint: null,
  };
  for (const length of [0, 1, 65_534, 65_535, 65_536, 200_000]) {
    const proof = { publicKey: KEY, t: 1, signature: 'cd'.repeat(64), payload: Buffer.alloc(length, '{') };
    assertKept('a', { ...said, ...none }, proof);
    const name = 'x'.repeat(length);
    const text = payloadOf({ ...said, ...none, name });
    assertKept('a', { ...said, ...none, name }, { ...proof, payload: Buffer.from(text) });
  }
});
