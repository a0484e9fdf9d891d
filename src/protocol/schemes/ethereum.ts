import { hmac } from '@noble/hashes/hmac';
import { sha256 } from '@noble/hashes/sha2';
import { keccak_256 } from '@noble/hashes/sha3';
import * as curve from '@noble/secp256k1';
import { fromHex, toHex, utf8 } from '../text.js';
import { ADDRESS_PATTERN, canonicalAddress, checksummed } from './ethereum-address.js';
import type { SignatureScheme } from './scheme.js';

// The library expects its caller to provide hashing.
curve.hashes.sha256 = sha256;
curve.hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);
/** The input is already a hash. */
const PREHASHED = { prehash: false } as const;

const SIGNATURE_PATTERN = /^(?:0x)?[0-9a-f]{130}$/;

/** The address of a public key of 65 bytes (SEC 1, uncompressed), as 40 lower-case hex digits. */
export function addressDigits(publicKey: Uint8Array): string {
  return toHex(keccak_256(publicKey.subarray(1)).subarray(12));
}

const PREFIX = '\x19Ethereum Signed Message:\n';

/** The 32-byte hash that is signed for a personal message (EIP-191, version 0x45). */
export function personalMessageHash(message: Uint8Array): Uint8Array {
  return keccak_256
    .create()
    .update(utf8(`${PREFIX}${String(message.length)}`))
    .update(message)
    .digest();
}

/** The order of the curve's group, and half of it rounded down; big endian. */
const GROUP_ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
const HALF_ORDER = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0';
const ZERO = '0'.repeat(64);

/** The recovery id for each allowed last byte of a signature. */
const RECOVERY_IDS: Readonly<Record<number, 0 | 1>> = { 0: 0, 1: 1, 27: 0, 28: 1 };

/** Which of the two possible keys signed, by the signature's last byte; undefined for any other byte. */
export function recoveryId(v: number): 0 | 1 | undefined {
  return RECOVERY_IDS[v];
}

/**
 * Whether r and s are below the group's order, v names one of two keys, and s is the lower of the two valid values, otherwise anybody could
 * make a second signature of the same message (EIP-2).
 */
function isAcceptableSignature(signature: string): boolean {
  const r = signature.slice(0, 64);
  const s = signature.slice(64, 128);
  // Lower-case hex strings of equal length sort like the numbers.
  const inRange = r !== ZERO && r < GROUP_ORDER && s !== ZERO && s <= HALF_ORDER;
  return inRange && recoveryId(Number.parseInt(signature.slice(128), 16)) !== undefined;
}

/** The address that signed a personal message, as 40 lower-case hex digits; null if there is none. */
function recoverAddress(message: Uint8Array, signature: string): string | null {
  try {
    const recovery = recoveryId(Number.parseInt(signature.slice(128), 16))!;
    const recoverable = fromHex(`0${String(recovery)}${signature.slice(0, 128)}`);
    const publicKey = curve.recoverPublicKey(recoverable, personalMessageHash(message), PREHASHED);
    return addressDigits(curve.Point.fromBytes(publicKey).toBytes(false));
  } catch {
    // Not every r is the coordinate of a point.
    return null;
  }
}

/** Whether 32 bytes are a private key: not zero, and below the order of the group. */
export function isPrivateKey(bytes: Uint8Array): boolean {
  return curve.utils.isValidSecretKey(bytes);
}

/** The address of a private key of 32 bytes, in EIP-55 form. */
export function addressOf(privateKey: Uint8Array): string {
  return checksummed(addressDigits(curve.getPublicKey(Uint8Array.from(privateKey), false)));
}

/** Signs a personal message; 65 bytes r, s and v (27 or 28) in hex. */
export function signPersonalMessage(message: Uint8Array, privateKey: Uint8Array): string {
  const hash = personalMessageHash(message);
  const options = { ...PREHASHED, lowS: true, format: 'recovered' } as const;
  const [recovery, ...compact] = curve.sign(hash, Uint8Array.from(privateKey), options);
  return toHex(Uint8Array.from(compact)) + (27 + recovery!).toString(16);
}

/**
 * EIP-191 personal messages, signed by Ethereum accounts. The key is the address, which is also the provider id: the public key can be
 * recovered from a signature, and its hash is the address.
 */
export const EIP191: SignatureScheme = {
  name: 'eip191',
  signers: 'Ethereum accounts (EIP-191)',
  headerField: 'e1',
  headerForm: 't=<Unix milliseconds>,e1=<r, s and v>',
  sentKey: null,
  signaturePattern: SIGNATURE_PATTERN,
  signatureForm: '130 lower-case hex digits (r, s, v) with or without 0x',
  keyBytes: 20,
  signatureBytes: 65,
  idKind: 'ethereum',
  idPattern: ADDRESS_PATTERN,
  canonicalId: canonicalAddress,
  keyHex: (key) => key.slice(2).toLowerCase(),
  canonicalSignature: (text) => (SIGNATURE_PATTERN.test(text) ? text.slice(text.length - 130) : null),
  isAcceptable: (key, signature) =>
    ADDRESS_PATTERN.test(key) &&
    SIGNATURE_PATTERN.test(signature) &&
    signature.length === 130 &&
    isAcceptableSignature(signature),
  verify: (bytes, key, signature) => recoverAddress(bytes, signature) === key.slice(2).toLowerCase(),
};
