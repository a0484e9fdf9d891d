import * as curve from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2';
import { fromHex, toHex } from '../text.js';
import type { SignatureScheme } from './scheme.js';

// The library expects its caller to provide hashing.
curve.hashes.sha512 = sha512;

const KEY_PATTERN = /^[0-9a-f]{64}$/;
const SIGNATURE_PATTERN = /^[0-9a-f]{128}$/;

/** A key pair made from its 32-byte seed. */
export interface KeyPair {
  /** Lower-case hex, 64 digits. */
  publicKey: string;
  /** 64 bytes: the seed and the public key. */
  secretKey: Uint8Array;
}

const SEED_BYTES = 32;

/** Makes the key pair of a 32-byte seed. */
export function keyPairFromSeed(seed: Uint8Array): KeyPair {
  const publicKey = curve.getPublicKey(Uint8Array.from(seed));
  return { publicKey: toHex(publicKey), secretKey: Uint8Array.of(...seed, ...publicKey) };
}

/** Signs with Ed25519; lower-case hex. */
export function signBytes(bytes: Uint8Array, keyPair: KeyPair): string {
  return toHex(curve.sign(Uint8Array.from(bytes), keyPair.secretKey.slice(0, SEED_BYTES)));
}

/** The number encoded by a little-endian byte string. */
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes.slice().reverse())}`);

/**
 * Verifies like libsodium: computes R and compares its bytes (RFC 8032, 5.1.7, without the cofactor). The library's own `verify` multiplies
 * by the cofactor, and so accepts signatures that the hub refuses.
 */
function verifyExactly(bytes: Uint8Array, key: string, signature: string): boolean {
  try {
    const order = curve.Point.CURVE().n;
    const r = signature.slice(0, 64);
    const point = curve.Point.fromBytes(fromHex(key));
    const hash = sha512.create().update(fromHex(r)).update(fromHex(key)).update(bytes).digest();
    const challenge = numberOf(hash) % order;
    const s = numberOf(fromHex(signature.slice(64)));
    return curve.Point.BASE.multiply(s, false).subtract(point.multiply(challenge, false)).toHex() === r;
  } catch {
    // Not every y belongs to a point.
    return false;
  }
}

/** The y coordinates of the eight points of small order, little endian, without the sign bit. */
const SMALL_ORDER_Y = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

/** 2^255 - 19, the prime of the field, and the order of the base point; big endian. */
const FIELD_PRIME = `7f${'ff'.repeat(30)}ed`;
const GROUP_ORDER = '1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed';

function reverseHex(hex: string): string {
  let reversed = '';
  for (let i = hex.length; i > 0; i -= 2) reversed += hex.slice(i - 2, i);
  return reversed;
}

/** The y coordinate of an encoded point: without the sign of x, which is the highest bit of the last byte. */
function yOf(point: string): string {
  const lastByte = Number.parseInt(point.slice(62), 16) & 0x7f;
  return point.slice(0, 62) + lastByte.toString(16).padStart(2, '0');
}

/**
 * Whether a key may own anything: canonically encoded and not of small order. A point of small order
 * "verifies" signatures that nobody made, and common libraries accept it.
 */
export function isAcceptablePublicKey(publicKey: string): boolean {
  if (!KEY_PATTERN.test(publicKey)) return false;
  const y = yOf(publicKey);
  // Only keys that begin like the prime need a full comparison.
  return !SMALL_ORDER_Y.has(y) && (!y.endsWith('7f') || reverseHex(y) < FIELD_PRIME);
}

/**
 * Whether an honest signer can have made a signature: S is below the group order (RFC 8032, 5.1.7), otherwise signatures would be malleable,
 * and R is not of small order, which would reveal the secret key and on which libraries disagree.
 */
export function isAcceptableSignature(signature: string): boolean {
  if (!SIGNATURE_PATTERN.test(signature) || SMALL_ORDER_Y.has(yOf(signature.slice(0, 64)))) return false;
  // Only those that begin like the order need a full comparison.
  return signature.charAt(126) === '0' || reverseHex(signature.slice(64)) < GROUP_ORDER;
}

/** Ed25519 (RFC 8032). Keys are public keys; a provider id of this scheme is such a key. */
export const ED25519: SignatureScheme = {
  name: 'ed25519',
  signers: 'Ed25519 keys',
  headerField: 'v1',
  headerForm: 't=<Unix milliseconds>,k=<public key>,v1=<signature>',
  sentKey: { pattern: KEY_PATTERN, form: '64 lower-case hex digits' },
  signaturePattern: SIGNATURE_PATTERN,
  signatureForm: '128 lower-case hex digits',
  keyBytes: 32,
  signatureBytes: 64,
  idKind: 'key',
  idPattern: KEY_PATTERN,
  canonicalId: (text) => (KEY_PATTERN.test(text) ? text : null),
  keyHex: (key) => key,
  canonicalSignature: (text) => (SIGNATURE_PATTERN.test(text) ? text : null),
  isAcceptable: (key, signature) => isAcceptablePublicKey(key) && isAcceptableSignature(signature),
  verify: verifyExactly,
};
