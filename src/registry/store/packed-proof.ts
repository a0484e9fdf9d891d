import { schemeOf } from '../../protocol/provider-id.js';
import { SCHEMES, type SignatureScheme } from '../../protocol/schemes/table.js';
import type { ProofRecord } from './records.js';

/** The byte layout of a packed proof, by its scheme. */
class Layout {
  readonly timeAt: number;
  readonly beginAt: number;
  readonly endAt: number;
  readonly hasKeyAt: number;
  readonly keyAt: number;
  /** Where the payload begins, or `keyAt` if no key is kept. */
  readonly latestPayloadAt: number;

  constructor({ signatureBytes, keyBytes }: SignatureScheme) {
    this.timeAt = signatureBytes;
    this.beginAt = this.timeAt + 8;
    this.endAt = this.beginAt + 2;
    this.hasKeyAt = this.endAt + 2;
    this.keyAt = this.hasKeyAt + 1;
    this.latestPayloadAt = this.keyAt + keyBytes;
  }
}

const LAYOUTS = new Map(SCHEMES.map((scheme) => [scheme, new Layout(scheme)]));
const MOST_BEFORE_PAYLOAD = Math.max(...[...LAYOUTS.values()].map(({ latestPayloadAt }) => latestPayloadAt));

function layoutFor(providerId: string): Layout {
  return LAYOUTS.get(schemeOf(providerId))!;
}

const MAX_SHARED = 0xffff;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** A range of bytes, excluding `to`. */
export interface Range {
  from: number;
  to: number;
}

/** An unpacked proof, whose payload is bytes. */
export type UnpackedProof = ProofRecord & { payload: Uint8Array };

/** An upper bound on the bytes that `packProof` uses. */
export function roomForProof({ payload }: ProofRecord): number {
  return MOST_BEFORE_PAYLOAD + (typeof payload === 'string' ? 3 * payload.length : payload.length);
}

/**
 * Packs a proof without the overhead of hex and objects, and without what the advertisement already contains: a provider id that is the
 * key itself, and as much of the payload's beginning and end as equals the JSON that clients receive. Of a compact payload in the usual
 * member order, next to nothing remains.
 * @param target Receives the proof from `at` on; already holds the members rendered from the payload at `chosen`.
 * @returns The offset in `target` after the proof.
 */
export function packProof(
  proof: ProofRecord,
  providerId: string,
  chosen: Range,
  target: Buffer,
  at: number,
): number {
  const layout = layoutFor(providerId);
  const hasKey = proof.publicKey !== providerId;
  target.write(proof.signature, at, layout.timeAt, 'hex');
  target.writeDoubleLE(proof.t, at + layout.timeAt);
  target[at + layout.hasKeyAt] = hasKey ? 1 : 0;
  if (hasKey) target.write(proof.publicKey, at + layout.keyAt, layout.latestPayloadAt - layout.keyAt, 'hex');

  const payload = { from: at + layout.latestPayloadAt, to: at + layout.latestPayloadAt };
  if (typeof proof.payload === 'string') payload.to += target.write(proof.payload, payload.from, 'utf8');
  else {
    target.set(proof.payload, payload.from);
    payload.to += proof.payload.length;
  }
  const begin = sharedBegin(target, payload, chosen);
  const end = sharedEnd(target, { from: payload.from + begin, to: payload.to }, chosen);
  target.writeUInt16LE(begin, at + layout.beginAt);
  target.writeUInt16LE(end, at + layout.endAt);
  const own = at + (hasKey ? layout.latestPayloadAt : layout.keyAt);
  target.copyWithin(own, payload.from + begin, payload.to - end);
  return own + payload.to - end - payload.from - begin;
}

/**
 * Reads what `packProof` wrote.
 * @param chosen The bytes of the members rendered from the payload.
 */
export function unpackProof(packed: Buffer, providerId: string, chosen: Uint8Array): UnpackedProof {
  const layout = layoutFor(providerId);
  const begin = packed.readUInt16LE(layout.beginAt);
  const end = packed.readUInt16LE(layout.endAt);
  const own = packed.subarray(packed[layout.hasKeyAt] === 1 ? layout.latestPayloadAt : layout.keyAt);
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
  return {
    ...unpackSigner(packed, providerId),
    payload,
    signature: packed.toString('hex', 0, layout.timeAt),
  };
}

/** Reads only the signer and the signed time. */
export function unpackSigner(packed: Buffer, providerId: string): { publicKey: string; t: number } {
  const { timeAt, hasKeyAt, keyAt, latestPayloadAt } = layoutFor(providerId);
  return {
    publicKey: packed[hasKeyAt] === 1 ? packed.toString('hex', keyAt, latestPayloadAt) : providerId,
    t: packed.readDoubleLE(timeAt),
  };
}

/** How many leading bytes the payload shares with an object of these members. */
function sharedBegin(bytes: Uint8Array, payload: Range, chosen: Range): number {
  if (payload.from === payload.to || bytes[payload.from] !== OPENING_BRACE) return 0;
  const limit = Math.min(payload.to - payload.from, chosen.to - chosen.from + 1, MAX_SHARED);
  const before = chosen.from - 1;
  let shared = 1;
  while (shared < limit && bytes[payload.from + shared] === bytes[before + shared]) shared += 1;
  return shared;
}

/** How many trailing bytes it shares. */
function sharedEnd(bytes: Uint8Array, payload: Range, chosen: Range): number {
  const last = payload.to - 1;
  if (payload.from === payload.to || bytes[last] !== CLOSING_BRACE) return 0;
  const limit = Math.min(payload.to - payload.from, chosen.to - chosen.from + 1, MAX_SHARED);
  let shared = 1;
  while (shared < limit && bytes[last - shared] === bytes[chosen.to - shared]) shared += 1;
  return shared;
}
