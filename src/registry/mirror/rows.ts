import { isUtf8 } from 'node:buffer';
import type { JsonTexts } from '../store/advertisement-json.js';
import {
  type AdvertisementRecord,
  COUNT_KINDS,
  type CountRecord,
  type IdentityRecord,
  type ProofRecord,
} from '../store/records.js';
import type { Runs } from './database.js';
import type { AdvertisementRow, CountRow, IdentityRow } from './messages.js';
import { parseTime } from './time.js';

/** In the order of `AdvertisementRow`. */
export const ADVERTISEMENT_COLUMNS = [
  'provider_id',
  'ip_address',
  'country',
  'platform',
  'resources',
  'pricing',
  'created_at',
  'updated_at',
  'name',
  'payments_network',
  'public_key',
  'signed_at',
  'payload',
  'signature',
  'attached',
  'attributes',
  'endpoint_port',
  'ip_confirmed',
] as const;

/** In the order of `IdentityRow`. */
export const IDENTITY_COLUMNS = ['provider_id', 'public_key', 'last_t', 'seen_at'] as const;

/** In the order of `CountRow`. */
export const COUNT_COLUMNS = ['kind', 'key', 'count', 'ends_at'] as const;

/** A copy of the record that can be posted to the worker. */
export function toAdvertisementRow(record: AdvertisementRecord): AdvertisementRow {
  const { proof } = record;
  return [
    record.providerId,
    record.ipAddress,
    record.country,
    record.platform,
    JSON.stringify(record.resources),
    record.pricing === null ? null : JSON.stringify(record.pricing),
    record.createdAt,
    record.updatedAt,
    record.name,
    record.paymentsNetwork,
    proof === null ? null : proof.publicKey,
    proof === null ? null : proof.t,
    proof === null ? null : toStoredPayload(proof.payload),
    proof === null ? null : proof.signature,
    record.attached ? 1 : 0,
    record.attributes === null ? null : JSON.stringify(record.attributes),
    record.endpoint === null ? null : record.endpoint.port,
    record.ipConfirmed ? 1 : 0,
  ];
}

export function toIdentityRow(record: IdentityRecord): IdentityRow {
  return [record.providerId, record.publicKey, record.lastT, record.seenAt];
}

export function toCountRow({ kind, key, count, endsAt }: CountRecord): CountRow {
  return [kind, key, count, Math.round(endsAt)];
}

/**
 * JSON is UTF-8, and SQLite stores a text in a BLOB column unchanged. A string is posted and loaded several times faster than a byte array
 * with its own buffer; anything that is not UTF-8 stays bytes.
 */
function toStoredPayload(payload: string | Uint8Array): string | Uint8Array {
  if (typeof payload === 'string') return payload;
  if (!isUtf8(payload)) return Uint8Array.from(payload);
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8');
}

/** A row of the file: the record, and the JSON texts of its structured members. */
export interface StoredAdvertisement {
  record: AdvertisementRecord;
  texts: JsonTexts;
}

/**
 * Reads a row of `ADVERTISEMENT_COLUMNS`; null if no hub can have written it.
 * @param runs The last time of each run: whoever was attached counts as seen until then.
 */
export function readAdvertisement(row: readonly unknown[], runs: Runs): StoredAdvertisement | null {
  const [providerId, ipAddress, country, platform, resources, pricing, createdAt, updatedAt, name, network] =
    row;
  const updated = parseTime(updatedAt) ?? parseTime(createdAt);
  if (updated === null) return null;
  const attachedUntil = (typeof row[14] === 'number' ? runs.get(row[14]) : undefined) ?? 0;
  if (typeof providerId !== 'string' || typeof ipAddress !== 'string' || typeof country !== 'string')
    return null;
  if (!isTextOrNull(platform) || !isTextOrNull(name) || !isTextOrNull(network)) return null;
  if (typeof resources !== 'string' || !isTextOrNull(pricing)) return null;
  const [attributes, port, ipConfirmed] = row.slice(15);
  if (!isTextOrNull(attributes) || !(port === null || typeof port === 'number')) return null;
  const texts = { resources, pricing: pricing ?? 'null', attributes: attributes ?? 'null' };
  const resourcesObject = parseObject(texts.resources);
  const pricingObject = parseObject(texts.pricing);
  const attributesObject = parseObject(texts.attributes);
  if (attributesObject === undefined) return null;
  if (resourcesObject === undefined || resourcesObject === null || pricingObject === undefined) return null;
  const record = {
    providerId,
    ipAddress,
    country,
    platform,
    // The members of our own rows were validated on arrival; the registry validates unsigned rows again.
    resources: resourcesObject as AdvertisementRecord['resources'],
    pricing: pricingObject as AdvertisementRecord['pricing'],
    createdAt: parseTime(createdAt) ?? updated,
    updatedAt: Math.max(updated, attachedUntil),
    name,
    paymentsNetwork: network,
    attributes: attributesObject as AdvertisementRecord['attributes'],
    endpoint: port === null ? null : { port },
    ipConfirmed: ipConfirmed === 1,
    proof: readProof(row[10], row[11], row[12], row[13]),
    // An older hub wrote a plain 1, without recording its last time.
    attached: row[14] === 1 && !runs.has(1),
  };
  return { record, texts };
}

/** Reads a row of `IDENTITY_COLUMNS`; null if no hub can have written it. */
export function readIdentity([
  providerId,
  publicKey,
  lastT,
  seenAt,
]: readonly unknown[]): IdentityRecord | null {
  if (typeof providerId !== 'string' || typeof publicKey !== 'string') return null;
  if (typeof lastT !== 'number' || typeof seenAt !== 'number') return null;
  return { providerId, publicKey, lastT, seenAt };
}

/** Reads a row of `COUNT_COLUMNS`; null if no hub can have written it. */
export function readCount([name, key, count, endsAt]: readonly unknown[]): CountRecord | null {
  const kind = COUNT_KINDS.find((known) => known === name);
  if (kind === undefined || typeof key !== 'string') return null;
  return typeof count === 'number' && typeof endsAt === 'number' ? { kind, key, count, endsAt } : null;
}

function readProof(publicKey: unknown, t: unknown, payload: unknown, signature: unknown): ProofRecord | null {
  if (typeof publicKey !== 'string' || typeof t !== 'number' || typeof signature !== 'string') return null;
  return typeof payload === 'string' || payload instanceof Uint8Array
    ? { publicKey, t, payload, signature }
    : null;
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

/** The object in a JSON text, or null for `null`, which the first generation wrote; undefined for anything else. */
function parseObject(text: string): object | null | undefined {
  if (text === 'null') return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
