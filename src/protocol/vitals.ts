import * as z from 'zod';

// What a hub tells of itself, as `GET /api/v1/hub/events` has it.

/** How much of itself a hub may show. */
export const VITALS_SHOWN = ['counts', 'all'] as const;
/** `counts`: how many there are of everything; `all`: also how well the hub does. */
export type VitalsShown = (typeof VITALS_SHOWN)[number];

/** Seconds between two points. */
export const POINT_SECONDS = 5;
/** Points that a hub keeps: the last 15 minutes. */
export const POINTS_KEPT = (15 * 60) / POINT_SECONDS;

const count = z.int().min(0);
const ms = z.number().min(0);
const spread = z.object({
  p50: ms.describe('Half took at most so many milliseconds'),
  p99: ms.describe('99 of 100 took at most so many milliseconds'),
  max: ms.describe('The longest, in milliseconds'),
});

/** What a hub was like at one moment; rates and times are of the interval before it. */
export const hubPointSchema = z.object({
  time: z.string().describe('ISO 8601 UTC with milliseconds'),
  live: count.describe('How many advertisements of providers that are there'),
  suspect: count.describe('How many advertisements whose providers were lost'),
  sessions: count.describe('How many authenticated sessions of providers'),
  connections: count.describe('How many open WebSockets'),
  readers: count.describe('How many open streamed HTTP responses, those of events included'),
  subscribers: count.describe('How many open subscriptions'),
  streams: count.describe('How many different filters that somebody is subscribed to'),
  updates_per_second: z.number().min(0).describe('How many changes of advertisements a second'),
  match_to_send_ms: spread
    .nullable()
    .optional()
    .describe('From a change until its events were handed to all sockets; null where there was none'),
  loop_lag_ms: spread.optional().describe('By how much the event loop was late'),
  queued_bytes: count.optional().describe('Bytes that wait in all connections'),
  mirror: z
    .object({
      state: z.enum(['writing', 'failing']).describe('Whether writes work'),
      lag_ms: ms.describe('Age of the oldest write that is not durable yet, in milliseconds'),
      pending: count.describe('How many writes are not durable yet'),
    })
    .optional()
    .describe('What keeps the advertisements: the file, or the store that several hubs share'),
});

/** What comes first: what the hub was like so far. Where a reader could not be told all, it comes again. */
export const hubHistorySchema = z.object({
  type: z.literal('history'),
  shows: z.enum(VITALS_SHOWN).describe('`counts`: the points have counts and rates of changes only'),
  interval_seconds: z.number().min(0).describe('Time between two points'),
  points: z.array(hubPointSchema).describe('Of the last 15 minutes, the oldest first'),
});

/** What comes with each interval. */
export const hubPointFrameSchema = z.object({ type: z.literal('point'), point: hubPointSchema });

/** What a hub was like at one moment, as its operator lets it be shown. */
export type HubPoint = z.output<typeof hubPointSchema>;
export type HubHistory = z.output<typeof hubHistorySchema>;
export type HubPointFrame = z.output<typeof hubPointFrameSchema>;
