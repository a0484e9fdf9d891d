import * as z from 'zod';
import type { PublishedAdvertisement } from '../../protocol/advertisement.js';
import { visibilityShape } from '../../protocol/answers.js';
import { parseCursor } from '../../protocol/cursor.js';
import type { DownFrame, DownType } from '../../protocol/frames/frames-down.js';
import { parseJson } from '../../protocol/json.js';
import { NONCE_PATTERN } from '../../protocol/signing.js';
import { DiscoveryError } from '../errors.js';
import { decodeMsgpack } from './msgpack.js';

/**
 * Input from a hub is only checked for the members used here, because a newer hub may send more.
 */
export const publishedSchema = z.looseObject({
  provider_id: z.string().min(1),
  ip_address: z.string(),
  country: z.string(),
  resources: z.object({ cpu: z.number(), memory: z.number(), storage: z.number() }).catchall(z.number()),
  platform: z.string().nullable(),
  pricing: z.record(z.string(), z.union([z.number(), z.string()])).nullable(),
  name: z.string().nullable(),
  // Older hubs do not send it.
  provider_name: z.string().nullish(),
  payments_network: z.string().nullable(),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullish(),
  endpoint: z.looseObject({ port: z.number() }).nullish(),
  created_at: z.string(),
  updated_at: z.string(),
  status: z.enum(['live', 'suspect']),
  expires_at: z.string(),
  verified: z.boolean(),
  ip_confirmed: z.boolean().optional(),
}) as unknown as z.ZodType<PublishedAdvertisement>;

const requestId = z.union([z.int(), z.string()]);
const cursor = z.string().refine((text) => parseCursor(text) !== null, 'must be a cursor "<epoch>:<seq>"');

const streamEvent = z.discriminatedUnion('op', [
  z.object({ op: z.enum(['added', 'updated']), advertisement: publishedSchema }),
  z.object({
    op: z.literal('removed'),
    provider_id: z.string(),
    reason: z.enum(['expired', 'withdrawn', 'unmatched', 'outranked']),
  }),
]);

const SCHEMAS: Readonly<Record<DownType, z.ZodType>> = {
  welcome: z.object({
    type: z.literal('welcome'),
    version: z.int(),
    epoch: z.string(),
    nonce: z.string().regex(NONCE_PATTERN),
    heartbeat_seconds: z.number().positive(),
    expiry_seconds: z.number().positive(),
    max_frame_bytes: z.int().positive(),
    server_time: z.string().refine((text) => !Number.isNaN(Date.parse(text))),
  }),
  authenticated: z.object({
    type: z.literal('authenticated'),
    id: requestId,
    provider_id: z.string(),
    advertisement: publishedSchema.nullable(),
  }),
  advertised: z.object({ type: z.literal('advertised'), id: requestId, advertisement: publishedSchema }),
  withdrawn: z.object({ type: z.literal('withdrawn'), id: requestId }),
  removed: z.object({ type: z.literal('removed'), reason: z.string() }),
  heartbeat: z.object({ type: z.literal('heartbeat'), server_time: z.string() }),
  subscribed: z.object({
    type: z.literal('subscribed'),
    id: requestId,
    stream: z.string(),
    cursor: cursor.nullable(),
    resumed: z.boolean(),
  }),
  snapshot: z.object({
    type: z.literal('snapshot'),
    stream: z.string(),
    cursor: cursor.nullable(),
    advertisements: z.array(publishedSchema),
    last: z.boolean(),
  }),
  events: z.object({ type: z.literal('events'), stream: z.string(), cursor, events: z.array(streamEvent) }),
  bookmark: z.object({ type: z.literal('bookmark'), cursor }),
  unsubscribed: z.object({ type: z.literal('unsubscribed'), id: requestId, stream: z.string() }),
  visibility: z.object({ type: z.literal('visibility'), id: requestId, ...visibilityShape }),
  error: z.object({
    type: z.literal('error'),
    id: requestId.optional(),
    code: z.string(),
    message: z.string(),
    timestamp: z.string(),
  }),
};

/**
 * Parses a frame from the hub: text is JSON, bytes are MessagePack. Its input is trusted as little as a hub trusts its clients; only the
 * number of values is not bounded, because snapshots have many.
 * @returns Null for an unknown type, which a newer hub may send.
 * @throws DiscoveryError `UNEXPECTED` if it is not a frame of this protocol.
 */
export function readFrame(data: string | Uint8Array): DownFrame | null {
  const decoded = typeof data === 'string' ? parseJson(data, Infinity) : decodeMsgpack(data, Infinity);
  if (!decoded.ok) {
    throw new DiscoveryError('UNEXPECTED', `the hub sent a frame that cannot be read: ${decoded.problem}`);
  }
  const { value } = decoded;
  const type = (value as { type?: unknown } | null)?.type;
  if (typeof type !== 'string') throw new DiscoveryError('UNEXPECTED', 'the hub sent a frame without a type');
  if (!Object.hasOwn(SCHEMAS, type)) return null;
  const result = SCHEMAS[type as DownType].safeParse(value);
  if (result.success) return result.data as DownFrame;
  throw new DiscoveryError('UNEXPECTED', `the hub sent a malformed ${type} frame`, { cause: result.error });
}
