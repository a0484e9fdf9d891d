import * as z from 'zod';
import {
  advertisementSchema,
  countryCode,
  endpointSchema,
  pricingSchema,
  resourcesSchema,
} from '../advertisement.js';
import { MAX_MISSED } from '../answers.js';
import { attributesSchema } from '../attributes.js';
import { CURSOR_PATTERN } from '../cursor.js';
import { ERROR_STATUS, type ErrorCode } from '../errors.js';
import type { Down, DownType } from './frames-down.js';
import { requestId } from './frames-up.js';
import { LIMITS } from '../limits.js';
import { PROVIDER_ID_PATTERN } from '../provider-id.js';
import { NONCE_PATTERN } from '../signing.js';
import { boundedText } from '../values.js';

// Exactly what a hub of this version sends. Clients parse frames more leniently, because a newer hub may send more, so src/client must not
// load this, which `npm run check` enforces.

const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const providerId = z.string().regex(PROVIDER_ID_PATTERN);
const cursor = z.string().regex(CURSOR_PATTERN);
const stream = z.string().min(1).max(128);

const publishedAdvertisement = z.strictObject({
  provider_id: providerId,
  ip_address: advertisementSchema.shape.ip_address,
  country: countryCode,
  resources: resourcesSchema,
  platform: boundedText(LIMITS.maxPlatformLength).nullable(),
  pricing: pricingSchema.nullable(),
  name: boundedText(LIMITS.maxNameLength).nullable(),
  provider_name: boundedText(LIMITS.maxNameLength).nullable(),
  payments_network: boundedText(LIMITS.maxNetworkLength).nullable(),
  attributes: attributesSchema.nullable(),
  endpoint: endpointSchema.nullable(),
  created_at: time,
  updated_at: time,
  status: z.enum(['live', 'suspect']),
  expires_at: time,
  verified: z.boolean(),
  ip_confirmed: z.boolean(),
});

const streamEvent = z.discriminatedUnion('op', [
  z.strictObject({ op: z.enum(['added', 'updated']), advertisement: publishedAdvertisement }),
  z.strictObject({
    op: z.literal('removed'),
    provider_id: providerId,
    reason: z.enum(['expired', 'withdrawn', 'unmatched', 'outranked']),
  }),
]);

/** The exact schema of every frame that the hub sends, by type: no member may be missing, and no other present. */
export const DOWN_SCHEMAS = {
  welcome: z.strictObject({
    type: z.literal('welcome'),
    version: z.int().min(1),
    epoch: z.string().regex(/^[0-9a-z]{1,32}$/),
    nonce: z.string().regex(NONCE_PATTERN),
    heartbeat_seconds: z.number().positive(),
    expiry_seconds: z.number().positive(),
    max_frame_bytes: z.int().positive(),
    server_time: time,
  }),
  authenticated: z.strictObject({
    type: z.literal('authenticated'),
    id: requestId,
    provider_id: providerId,
    advertisement: publishedAdvertisement.nullable(),
  }),
  advertised: z.strictObject({
    type: z.literal('advertised'),
    id: requestId,
    advertisement: publishedAdvertisement,
  }),
  withdrawn: z.strictObject({ type: z.literal('withdrawn'), id: requestId }),
  removed: z.strictObject({ type: z.literal('removed'), reason: z.literal('withdrawn') }),
  heartbeat: z.strictObject({ type: z.literal('heartbeat'), server_time: time }),
  subscribed: z.strictObject({
    type: z.literal('subscribed'),
    id: requestId,
    stream,
    cursor: cursor.nullable(),
    resumed: z.boolean(),
  }),
  snapshot: z.strictObject({
    type: z.literal('snapshot'),
    stream,
    cursor: cursor.nullable(),
    advertisements: z.array(publishedAdvertisement).max(LIMITS.maxSnapshotBatch),
    last: z.boolean(),
  }),
  events: z.strictObject({ type: z.literal('events'), stream, cursor, events: z.array(streamEvent).min(1) }),
  bookmark: z.strictObject({ type: z.literal('bookmark'), cursor }),
  unsubscribed: z.strictObject({ type: z.literal('unsubscribed'), id: requestId, stream }),
  visibility: z.strictObject({
    type: z.literal('visibility'),
    id: requestId,
    listed: z.boolean(),
    status: z.enum(['live', 'suspect']).nullable(),
    streams: z.int().min(0),
    subscribers: z.int().min(0),
    missed: z.array(z.strictObject({ member: z.string(), streams: z.int().min(1) })).max(MAX_MISSED),
    price: z
      .strictObject({
        usd_per_month: z.number().min(0),
        rank: z.int().min(1),
        of: z.int().min(1),
        p50: z.number().min(0),
      })
      .nullable(),
  }),
  error: z.strictObject({
    type: z.literal('error'),
    // Optional, but never undefined or null.
    id: z.exactOptional(requestId),
    code: z.enum(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
    timestamp: time,
  }),
} as const satisfies Record<DownType, z.ZodType>;

/** A type with its intersections expanded, so that equal shapes can be compared. */
type Plain<T> = T extends object ? { [Member in keyof T]: Plain<T[Member]> } : T;
type IsSame<A, B> =
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- this is how the compiler compares two types exactly
  (<T>() => T extends Plain<A> ? 1 : 2) extends <T>() => T extends Plain<B> ? 1 : 2 ? true : false;
type Drifted = {
  [Type in DownType]: IsSame<z.infer<(typeof DOWN_SCHEMAS)[Type]>, Down<Type>> extends true ? never : Type;
}[DownType];
type MustBeNever<T extends never> = T;

/** Does not compile if a schema and its type in frames-down.ts differ; the error names the frame. */
export type DriftedFrames = MustBeNever<Drifted>;
