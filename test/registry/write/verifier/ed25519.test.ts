import assert from 'node:assert/strict';
import crypto, { createHash } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import test from 'node:test';
import nacl from 'tweetnacl';
import { isAcceptableSignature } from '../../../../src/protocol/schemes/ed25519.js';
import {
  loadSodium,
  loadVerifyEd25519,
  withOpenssl,
} from '../../../../src/registry/write/verifier/ed25519.js';
import {
  add,
  decodePoint,
  encode,
  encodePoint,
  GROUP_ORDER,
  multiply,
  type Point,
  smallOrderPoints,
} from '../../../support/data/curve.js';

const BASE = decodePoint(`58${'66'.repeat(31)}`)!;
const SMALL_ORDER = smallOrderPoints();
const SECRET = 0x1234567890abcdef1234567890abcdefn;
const PUBLIC = multiply(BASE, SECRET);

const sodium = loadSodium();
const openssl = withOpenssl();
const implementations = { openssl, ...(sodium === null ? {} : { sodium }) };

/** A signature made by hand from any R and any key, of which `secret` and `r` are the known parts. */
function forge(message: Buffer, r: bigint, R: Point, A: Point): { key: Buffer; signature: Buffer } {
  const key = Buffer.from(encodePoint(A), 'hex');
  const head = Buffer.from(encodePoint(R), 'hex');
  const hash = createHash('sha512').update(head).update(key).update(message).digest();
  const h = BigInt(`0x${hash.reverse().toString('hex')}`);
  const s = (r + h * SECRET) % GROUP_ORDER;
  return { key, signature: Buffer.concat([head, Buffer.from(encode(s, 0n), 'hex')]) };
}

/** What all implementations say; they have to agree. */
function verdict(message: Buffer, key: Buffer, signature: Buffer): boolean {
  const expected = nacl.sign.detached.verify(message, signature, key);
  for (const [name, verify] of Object.entries(implementations)) {
    assert.equal(verify(message, key, signature), expected, `${name}: ${signature.toString('hex')}`);
  }
  return expected;
}

test('the binary of libsodium is there on the platforms that it is made for', (t) => {
  const glibc = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header;
  const [major = 0, minor = 0] = (glibc.glibcVersionRuntime ?? '').split('.').map(Number);
  if (process.platform !== 'linux' || major !== 2 || minor < 33) t.skip('it may be missing here');
  else assert.notEqual(sodium, null);
  assert.equal(typeof loadVerifyEd25519(), 'function');
});

test('all implementations say the same of keys and signatures with a part of small order', () => {
  const verdicts = { plain: new Set<boolean>(), oddKey: new Set<boolean>(), oddR: new Set<boolean>() };
  for (let number = 1; number <= 40; number += 1) {
    const message = Buffer.from(`message ${String(number)}`);
    const r = 7n ** BigInt(number) % GROUP_ORDER;
    const R = multiply(BASE, r);
    const odd = SMALL_ORDER[1 + (number % 7)]!;
    const judge = (signatureR: Point, A: Point): boolean => {
      const { key, signature } = forge(message, r, signatureR, A);
      return verdict(message, key, signature);
    };
    verdicts.plain.add(judge(R, PUBLIC));
    verdicts.oddKey.add(judge(R, add(PUBLIC, odd)));
    verdicts.oddR.add(judge(add(R, odd), PUBLIC));
  }
  assert.deepEqual([...verdicts.plain], [true]);
  // Where the hash is a multiple of its order, the odd part of the key has no effect.
  assert.deepEqual([...verdicts.oddKey].sort(), [false, true]);
  assert.deepEqual([...verdicts.oddR], [false]);
});

test('signatures whose R is of small order are refused beforehand: the libraries judge them differently', () => {
  const message = Buffer.from('a message');
  const verdicts: boolean[] = [];
  for (const R of SMALL_ORDER) {
    const { key, signature } = forge(message, 0n, R, PUBLIC);
    verdicts.push(openssl(message, key, signature));
    assert.equal(isAcceptableSignature(signature.toString('hex')), false);
  }
  assert.ok(verdicts.includes(true), 'no valid one was even tried');
});

test('OpenSSL keeps imported keys, those that were used last, up to a bound', (t) => {
  const imported: string[] = [];
  const { createPublicKey } = crypto;
  const someKey = crypto.generateKeyPairSync('ed25519').publicKey;
  const replaceBy = (replacement: typeof createPublicKey): void => {
    Object.assign(crypto, { createPublicKey: replacement });
    syncBuiltinESMExports();
  };
  t.after(() => {
    replaceBy(createPublicKey);
  });
  replaceBy(((input: { key: { x: string } }) => {
    imported.push(input.key.x);
    return someKey;
  }) as unknown as typeof createPublicKey);

  const verify = withOpenssl();
  const keyOf = (number: number): Buffer => Buffer.alloc(32, number.toString(16).padStart(8, '0'), 'hex');
  const newlyImported = (...numbers: number[]): number[] => {
    imported.length = 0;
    for (const number of numbers) verify(Buffer.from('a'), keyOf(number), Buffer.alloc(64));
    return imported.map((key) => Buffer.from(key, 'base64url').readUInt32BE());
  };
  const bound = 8192;
  const first = Array.from({ length: bound }, (_, index) => index + 1);
  assert.equal(newlyImported(...first).length, bound);
  assert.deepEqual(newlyImported(1, 5, bound, 1), [], 'all of them are kept');
  assert.deepEqual(newlyImported(bound + 1), [bound + 1]);
  assert.deepEqual(newlyImported(1, 5, 3), [], 'those used since are not the one that went');
  assert.deepEqual(newlyImported(2), [2], 'the one that was used longest ago went');
});
