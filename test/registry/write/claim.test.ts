import assert from 'node:assert/strict';
import test from 'node:test';
import { ED25519 } from '../../../src/protocol/schemes/ed25519.js';
import { formatSignatureHeader } from '../../../src/protocol/signature-header.js';
import { ProtocolError } from '../../../src/protocol/errors.js';
import { readHttpClaim, readSignedClaim } from '../../../src/registry/write/claim.js';

const KEY = 'ab'.repeat(32);
const SIGNATURE = 'cd'.repeat(64);
const HEADER = formatSignatureHeader({ t: 5, publicKey: KEY, scheme: ED25519, signature: SIGNATURE });
const WITHOUT_KEY = `t=5,v1=${SIGNATURE}`;
const ETHEREUM = `0x${'ab'.repeat(20)}`;

/** The code, or what was read. */
function read(id: string | undefined, header: string | undefined, acceptUnsigned = false): string {
  try {
    const claim = readHttpClaim(id, header, acceptUnsigned);
    return claim.signed ? `signed by ${claim.publicKey.slice(0, 4)}` : 'unsigned';
  } catch (error) {
    assert.ok(error instanceof ProtocolError);
    return error.code;
  }
}

test('credentials that are missing are AUTH_003, those that are malformed AUTH_001', () => {
  for (const [id, header] of [
    [undefined, HEADER],
    ['', HEADER],
    ['a', undefined],
    ['a', ''],
    [undefined, undefined],
    ['not an id', undefined],
  ])
    assert.equal(read(id, header), 'AUTH_003');
  for (const [id, header] of [
    ['not an id', HEADER],
    ['a', 'nonsense'],
    ['a', WITHOUT_KEY],
    [KEY, 'nonsense'],
    [ETHEREUM, HEADER],
    [ETHEREUM, 'nonsense'],
  ])
    assert.equal(read(id, header), 'AUTH_001', `${String(id)} ${String(header)}`);
});

test('well-formed credentials are read; a key id can do without the key', () => {
  assert.equal(read('a', HEADER), 'signed by abab');
  assert.equal(read(KEY, HEADER), 'signed by abab');
  assert.equal(read(KEY, WITHOUT_KEY), 'signed by abab');
  assert.deepEqual(readHttpClaim('a', HEADER, false), {
    signed: true,
    providerId: 'a',
    publicKey: KEY,
    t: 5,
    signature: SIGNATURE,
  });
});

test('an Ethereum address is refused with a message that says what it is reserved for', () => {
  assert.throws(() => readSignedClaim(ETHEREUM, KEY, 5, SIGNATURE), /Ethereum/);
});

test('where unsigned requests are accepted, anything that is no signature lets them in, but nothing lets in without', () => {
  assert.equal(read('a', 'nonsense', true), 'unsigned');
  assert.equal(read(ETHEREUM, 'nonsense', true), 'unsigned');
  assert.equal(read(ETHEREUM, HEADER, true), 'unsigned');
  assert.equal(read('a', HEADER, true), 'signed by abab', 'a signature is still taken for one');
  assert.equal(read('a', '', true), 'AUTH_003');
  assert.equal(read('a', undefined, true), 'AUTH_003');
  assert.equal(read('', 'nonsense', true), 'AUTH_003');
  assert.equal(read('not an id', 'nonsense', true), 'AUTH_001');
});
