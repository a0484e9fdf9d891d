import nacl from 'tweetnacl';
import { fromHex, toHex, utf8 } from './text.js';

/** What a signature is for. A signature of one action is never valid as another. */
export type SignedAction = 'advertise' | 'withdraw' | 'session';

/** The five signed fields. `payload` is what the action signs over: see `sessionPayload` for sessions. */
export interface SignedFields {
  action: SignedAction;
  providerId: string;
  /** Unix time in milliseconds. */
  t: number;
  payload: Uint8Array | string;
}

/** The parts of a request that prove who sent it. Keys and signatures are lower-case hex. */
export interface Credentials {
  providerId: string;
  t: number;
  publicKey: string;
  signature: string;
}

/** What a provider signed, as `GET …/proof` hands it out, so that nobody has to trust the hub. */
export interface Proof {
  provider_id: string;
  public_key: string;
  t: number;
  payload: string;
  signature: string;
}

const SCHEME = 'vm-discovery/v1';
export const PUBLIC_KEY_PATTERN = /^[0-9a-f]{64}$/;
export const SIGNATURE_PATTERN = /^[0-9a-f]{128}$/;
export const NONCE_PATTERN = PUBLIC_KEY_PATTERN;

/** The exact bytes that are signed: five fields, each but the last ended by one line feed. */
export function signedBytes({ action, providerId, t, payload }: SignedFields): Uint8Array {
  const head = utf8(`${SCHEME}\n${action}\n${providerId}\n${String(t)}\n`);
  const tail = typeof payload === 'string' ? utf8(payload) : payload;
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}

/** The payload of action `session`: the hub's nonce and the host that the client dialled, lower case. */
export function sessionPayload(nonce: string, host: string): string {
  return `${nonce}\n${host.toLowerCase()}`;
}

/** A key pair made from its 32-byte seed. */
export interface KeyPair {
  /** Lower-case hex, 64 digits. */
  publicKey: string;
  /** The 64 bytes that tweetnacl signs with. */
  secretKey: Uint8Array;
}

/** Makes the key pair of a 32-byte seed. */
export function keyPairFromSeed(seed: Uint8Array): KeyPair {
  const pair = nacl.sign.keyPair.fromSeed(seed);
  return { publicKey: toHex(pair.publicKey), secretKey: pair.secretKey };
}

/** Signs with Ed25519; lower-case hex. */
export function sign(fields: SignedFields, keyPair: KeyPair): string {
  return toHex(nacl.sign.detached(signedBytes(fields), keyPair.secretKey));
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
  if (!PUBLIC_KEY_PATTERN.test(publicKey)) return false;
  const y = yOf(publicKey);
  // Only keys that begin like the prime have to be compared in full.
  return !SMALL_ORDER_Y.has(y) && (!y.endsWith('7f') || reverseHex(y) < FIELD_PRIME);
}

/**
 * Whether a signature is one that a signer makes: S is below the group order (RFC 8032, 5.1.7), without which signatures
 * are malleable, and R is not of small order, which would give the secret key away and which libraries judge differently.
 */
export function isAcceptableSignature(signature: string): boolean {
  if (!SIGNATURE_PATTERN.test(signature) || SMALL_ORDER_Y.has(yOf(signature.slice(0, 64)))) return false;
  // Only those that begin like the order have to be compared in full.
  return signature.charAt(126) === '0' || reverseHex(signature.slice(64)) < GROUP_ORDER;
}

/**
 * Verifies in a client or browser. The hub verifies with libsodium or OpenSSL instead, under the same two
 * extra conditions, because this implementation is a hundred times slower.
 */
export function verifySignature(fields: SignedFields, publicKey: string, signature: string): boolean {
  return (
    isAcceptablePublicKey(publicKey) &&
    isAcceptableSignature(signature) &&
    nacl.sign.detached.verify(signedBytes(fields), fromHex(signature), fromHex(publicKey))
  );
}

/** Writes the value of `X-Provider-Signature`. */
export function formatSignatureHeader(
  credentials: Pick<Credentials, 't' | 'publicKey' | 'signature'>,
): string {
  return `t=${String(credentials.t)},k=${credentials.publicKey},v1=${credentials.signature}`;
}

const TIME_PATTERN = /^(0|[1-9][0-9]{0,15})$/;

/** The fields of `X-Provider-Signature`; `publicKey` is null when `k` was left out. */
export interface SignatureHeader {
  t: number;
  publicKey: string | null;
  signature: string;
}

/** Reads `t=…,k=…,v1=…` in any order, each at most once; null when it is anything else. */
export function parseSignatureHeader(header: string): SignatureHeader | null {
  if (header.length > 512) return null;
  const fields = new Map<string, string>();
  for (const part of header.split(',')) {
    const separator = part.indexOf('=');
    const name = part.slice(0, Math.max(separator, 0)).trim();
    if (separator < 0 || fields.has(name) || !['t', 'k', 'v1'].includes(name)) return null;
    fields.set(name, part.slice(separator + 1).trim());
  }
  const t = fields.get('t');
  const publicKey = fields.get('k') ?? null;
  const signature = fields.get('v1');
  if (t === undefined || signature === undefined || !TIME_PATTERN.test(t)) return null;
  if (!SIGNATURE_PATTERN.test(signature)) return null;
  if (publicKey !== null && !PUBLIC_KEY_PATTERN.test(publicKey)) return null;
  const time = Number(t);
  return Number.isSafeInteger(time) ? { t: time, publicKey, signature } : null;
}
