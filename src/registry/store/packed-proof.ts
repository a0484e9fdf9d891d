import type { ProofRecord } from './records.js';

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const TIME_AT = SIGNATURE_BYTES;
const BEGIN_AT = TIME_AT + 8;
const END_AT = BEGIN_AT + 2;
const HAS_KEY_AT = END_AT + 2;
const KEY_AT = HAS_KEY_AT + 1;
const LATEST_PAYLOAD_AT = KEY_AT + KEY_BYTES;

const MAX_SHARED = 0xffff;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** A stretch of bytes, without the one at `to`. */
export interface Range {
  from: number;
  to: number;
}

/** A proof that was unpacked: its payload is bytes. */
export type UnpackedProof = ProofRecord & { payload: Uint8Array };

/** The most bytes that `packProof` uses. */
export function roomForProof({ payload }: ProofRecord): number {
  return LATEST_PAYLOAD_AT + (typeof payload === 'string' ? 3 * payload.length : payload.length);
}

/**
 * Packs a proof without the overhead of hex and objects, and without what the advertisement says anyway: a provider
 * id that is the key itself, and as much of the payload's beginning and end as equals the text that clients get. A
 * payload written compactly and in the usual order disappears but for what it leaves out.
 * @param target Where to, from `at` on; has the members that the payload became at `chosen`.
 * @returns The place in `target` behind the proof.
 */
export function packProof(
  proof: ProofRecord,
  providerId: string,
  chosen: Range,
  target: Buffer,
  at: number,
): number {
  const hasKey = proof.publicKey !== providerId;
  target.write(proof.signature, at, SIGNATURE_BYTES, 'hex');
  target.writeDoubleLE(proof.t, at + TIME_AT);
  target[at + HAS_KEY_AT] = hasKey ? 1 : 0;
  if (hasKey) target.write(proof.publicKey, at + KEY_AT, KEY_BYTES, 'hex');

  const payload = { from: at + LATEST_PAYLOAD_AT, to: at + LATEST_PAYLOAD_AT };
  if (typeof proof.payload === 'string') payload.to += target.write(proof.payload, payload.from, 'utf8');
  else {
    target.set(proof.payload, payload.from);
    payload.to += proof.payload.length;
  }
  const begin = sharedBegin(target, payload, chosen);
  const end = sharedEnd(target, { from: payload.from + begin, to: payload.to }, chosen);
  target.writeUInt16LE(begin, at + BEGIN_AT);
  target.writeUInt16LE(end, at + END_AT);
  const own = at + (hasKey ? LATEST_PAYLOAD_AT : KEY_AT);
  target.copyWithin(own, payload.from + begin, payload.to - end);
  return own + payload.to - end - payload.from - begin;
}

/**
 * Reads what `packProof` wrote.
 * @param chosen The bytes of the same members.
 */
export function unpackProof(packed: Buffer, providerId: string, chosen: Uint8Array): UnpackedProof {
  const begin = packed.readUInt16LE(BEGIN_AT);
  const end = packed.readUInt16LE(END_AT);
  const own = packed.subarray(packed[HAS_KEY_AT] === 1 ? LATEST_PAYLOAD_AT : KEY_AT);
  const payload = new Uint8Array(begin + own.length + end);
  if (begin > 0) {
    payload[0] = OPENING_BRACE;
    payload.set(chosen.subarray(0, begin - 1), 1);
  }
  payload.set(own, begin);
  if (end > 0) {
    payload.set(chosen.subarray(chosen.length - (end - 1)), begin + own.length);
    payload[payload.length - 1] = CLOSING_BRACE;
  }
  return { ...unpackSigner(packed, providerId), payload, signature: packed.toString('hex', 0, TIME_AT) };
}

/** Reads of it who signed, and when. */
export function unpackSigner(packed: Buffer, providerId: string): { publicKey: string; t: number } {
  const hasKey = packed[HAS_KEY_AT] === 1;
  return {
    publicKey: hasKey ? packed.toString('hex', KEY_AT, KEY_AT + KEY_BYTES) : providerId,
    t: packed.readDoubleLE(TIME_AT),
  };
}

/** How many bytes at the beginning of the payload are those of an object with these members. */
function sharedBegin(bytes: Uint8Array, payload: Range, chosen: Range): number {
  if (payload.from === payload.to || bytes[payload.from] !== OPENING_BRACE) return 0;
  const limit = Math.min(payload.to - payload.from, chosen.to - chosen.from + 1, MAX_SHARED);
  const before = chosen.from - 1;
  let shared = 1;
  while (shared < limit && bytes[payload.from + shared] === bytes[before + shared]) shared += 1;
  return shared;
}

/** The same at the end. */
function sharedEnd(bytes: Uint8Array, payload: Range, chosen: Range): number {
  const last = payload.to - 1;
  if (payload.from === payload.to || bytes[last] !== CLOSING_BRACE) return 0;
  const limit = Math.min(payload.to - payload.from, chosen.to - chosen.from + 1, MAX_SHARED);
  let shared = 1;
  while (shared < limit && bytes[last - shared] === bytes[chosen.to - shared]) shared += 1;
  return shared;
}
