import type { AdvertisementRecord } from './persistence.js';
import { ISO_BYTES, writeIsoTime } from './iso-time.js';

/**
 * The JSON text of an advertisement as clients receive it, in two parts: a head that only changes when the
 * advertisement does, and a tail with what heartbeats and sessions change, of a known layout so that it can be
 * written over in place.
 */

/** Renders the head: everything up to and including `created_at`. */
export function renderHead(record: AdvertisementRecord): Buffer {
  const text = JSON.stringify({
    provider_id: record.providerId,
    ip_address: record.ipAddress,
    country: record.country,
    resources: record.resources,
    platform: record.platform,
    pricing: record.pricing,
    name: record.name,
    payments_network: record.paymentsNetwork,
    created_at: new Date(record.createdAt).toISOString(),
  });
  return Buffer.from(text.slice(0, -1), 'utf8');
}

interface Tail {
  bytes: Buffer;
  updatedAt: number;
  expiresAt: number;
}

function tailTemplate(status: string, verified: boolean): Tail {
  const blank = ' '.repeat(ISO_BYTES);
  const text = `,"updated_at":"${blank}","status":"${status}","expires_at":"${blank}","verified":${String(verified)}}`;
  return { bytes: Buffer.from(text), updatedAt: text.indexOf(blank), expiresAt: text.lastIndexOf(blank) };
}

const TAILS = [
  [tailTemplate('suspect', false), tailTemplate('suspect', true)],
  [tailTemplate('live', false), tailTemplate('live', true)],
] as const;

function tailFor(live: number, verified: number): Tail {
  return TAILS[live === 1 ? 1 : 0][verified === 1 ? 1 : 0];
}

/** Room for the longest tail, in bytes. */
export const MAX_TAIL_BYTES = Math.max(...TAILS.flat().map((tail) => tail.bytes.length));

export function tailBytes(live: number, verified: number): number {
  return tailFor(live, verified).bytes.length;
}

/** Writes the tail at an offset; times are Unix milliseconds. */
export function writeTail(
  target: Buffer,
  offset: number,
  row: { live: number; verified: number; updatedAt: number; expiresAt: number },
): void {
  const tail = tailFor(row.live, row.verified);
  target.set(tail.bytes, offset);
  writeIsoTime(target, offset + tail.updatedAt, row.updatedAt);
  writeIsoTime(target, offset + tail.expiresAt, row.expiresAt);
}
