import type { AdvertisementRecord } from './records.js';
import { ISO_BYTES, isoTime, writeIsoTime } from '../../lib/iso-time.js';

/**
 * The JSON text of an advertisement as clients receive it, in two parts: a head that only changes when the advertisement does, and a
 * tail with what heartbeats and sessions change, in a fixed layout so that it can be overwritten in place.
 */

/** The JSON texts of an advertisement's structured members. */
export interface JsonTexts {
  resources: string;
  /** The text `null` if there is none. */
  pricing: string;
  /** Likewise. */
  attributes: string;
}

/**
 * Renders the head: everything up to and including `created_at`.
 * @param texts The result of `jsonTexts` for the record, if already known.
 */
export function renderHead(record: AdvertisementRecord, texts: JsonTexts = jsonTexts(record)): string {
  const name = quoted(record.name);
  return (
    `{"provider_id":${quoted(record.providerId)},"ip_address":${quoted(record.ipAddress)}` +
    `,"country":${quoted(record.country)},"resources":${texts.resources}` +
    `,"platform":${quoted(record.platform)},"pricing":${texts.pricing}` +
    `,"name":${name},"payments_network":${quoted(record.paymentsNetwork)}` +
    `,"attributes":${texts.attributes},"endpoint":${JSON.stringify(record.endpoint)}` +
    `${PROVIDER_NAME}${name}` +
    `,"created_at":"${isoTime(record.createdAt)}"`
  );
}

/** The name again, after all members that the provider chose: see `chosenPart`. */
const PROVIDER_NAME = ',"provider_name":';

/** The parts of a head before the members that the provider chose, except the id, and after them and the name. */
const ID_FRAME_BYTES = '{"provider_id":"",'.length;
const CREATED_AT_BYTES = ',"created_at":""'.length + ISO_BYTES;

/** Reads the creation time, in Unix milliseconds, from the end of a head. */
export function createdAtIn(head: Buffer): number {
  return Date.parse(head.toString('latin1', head.length - ISO_BYTES - 1, head.length - 1));
}

/** Reads the address from the beginning of a head. */
export function ipAddressIn(head: Buffer, providerId: string): string {
  const from = ID_FRAME_BYTES + Buffer.byteLength(providerId) + '"ip_address":"'.length;
  return head.toString('latin1', from, head.indexOf('"', from));
}

/** The last members when the provider left them out. */
const ABSENT = [',"endpoint":null', ',"attributes":null'].map((text) => Buffer.from(text));

/**
 * The range of a head that holds the members its provider chose, except trailing ones that it left out. (Provider ids need no
 * escaping, and every quote within a JSON string is escaped.)
 */
export function chosenPart(providerId: string, head: Buffer): { from: number; to: number } {
  let to = head.lastIndexOf(PROVIDER_NAME, head.length - CREATED_AT_BYTES);
  for (const text of ABSENT) if (head.subarray(to - text.length, to).equals(text)) to -= text.length;
  return { from: ID_FRAME_BYTES + Buffer.byteLength(providerId), to };
}

function jsonTexts({ resources, pricing, attributes }: AdvertisementRecord): JsonTexts {
  return {
    resources: JSON.stringify(resources),
    pricing: JSON.stringify(pricing),
    attributes: JSON.stringify(attributes),
  };
}

const PLAIN = /^[ !#-[\]-~]*$/;

/** `JSON.stringify`, but faster if nothing has to be escaped. */
function quoted(text: string | null): string {
  return text !== null && PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

interface Tail {
  bytes: Buffer;
  updatedAt: number;
  expiresAt: number;
}

function tailTemplate(status: string, verified: boolean, ipConfirmed: boolean): Tail {
  const blank = ' '.repeat(ISO_BYTES);
  const text = `,"updated_at":"${blank}","status":"${status}","expires_at":"${blank}","verified":${String(verified)},"ip_confirmed":${String(ipConfirmed)}}`;
  return { bytes: Buffer.from(text), updatedAt: text.indexOf(blank), expiresAt: text.lastIndexOf(blank) };
}

/** The flags that determine a tail; 1 for true. */
export interface TailFlags {
  live: number;
  verified: number;
  ipConfirmed: number;
}

/** Indexed by the flags as bits of a number. */
const TAILS = Array.from({ length: 8 }, (_, bits) =>
  tailTemplate((bits & 4) === 0 ? 'suspect' : 'live', (bits & 2) !== 0, (bits & 1) !== 0),
);

function tailFor({ live, verified, ipConfirmed }: TailFlags): Tail {
  return TAILS[(live << 2) | (verified << 1) | ipConfirmed]!;
}

/** Room for the longest tail, in bytes. */
export const MAX_TAIL_BYTES = Math.max(...TAILS.map((tail) => tail.bytes.length));

export function tailBytes(flags: TailFlags): number {
  return tailFor(flags).bytes.length;
}

/** Writes the tail at an offset; times are Unix milliseconds. */
export function writeTail(
  target: Buffer,
  offset: number,
  row: TailFlags & { updatedAt: number; expiresAt: number },
): void {
  const tail = tailFor(row);
  target.set(tail.bytes, offset);
  writeIsoTime(target, offset + tail.updatedAt, row.updatedAt);
  writeIsoTime(target, offset + tail.expiresAt, row.expiresAt);
}
