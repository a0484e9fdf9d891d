import * as z from 'zod';

// The hub's own state, as `GET /api/v1/hub/events` sends it.

/** How much of itself a hub may show. */
export const VITALS_SHOWN = ['counts', 'all'] as const;
/** `counts`: numbers of everything; `all`: also performance figures. */
export type VitalsShown = (typeof VITALS_SHOWN)[number];

/** Seconds between two points. */
export const POINT_SECONDS = 5;
/** How many points a hub keeps: the last 15 minutes. */
export const POINTS_KEPT = (15 * 60) / POINT_SECONDS;

const count = z.int().min(0);
const ms = z.number().min(0);
const spread = z.object({
  p50: ms.describe('Half took at most so many milliseconds'),
  p99: ms.describe('99 of 100 took at most so many milliseconds'),
  max: ms.describe('The longest, in milliseconds'),
});

/** A hub's state at one moment; rates and times are for the interval before it. */
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
    .describe('From a change until its events were handed to all sockets; null if there was none'),
  loop_lag_ms: spread.optional().describe('Event-loop lag'),
  queued_bytes: count.optional().describe('Bytes queued on all connections'),
  mirror: z
    .object({
      state: z.enum(['writing', 'failing']).describe('Whether writes work'),
      lag_ms: ms.describe('Age of the oldest write that is not durable yet, in milliseconds'),
      pending: count.describe('How many writes are not durable yet'),
    })
    .optional()
    .describe('Where advertisements are stored: the file, or the store that several hubs share'),
});

/** The first event: the history so far. Sent again if a reader missed points. */
export const hubHistorySchema = z.object({
  type: z.literal('history'),
  shows: z.enum(VITALS_SHOWN).describe('With `counts`, the points only have counts and the rate of changes'),
  interval_seconds: z.number().min(0).describe('Time between two points'),
  points: z.array(hubPointSchema).describe('The last 15 minutes, oldest first'),
});

/** Sent at each interval. */
export const hubPointFrameSchema = z.object({ type: z.literal('point'), point: hubPointSchema });

/** A hub's state at one moment, as far as its operator shows it. */
export type HubPoint = z.output<typeof hubPointSchema>;
export type HubHistory = z.output<typeof hubHistorySchema>;
export type HubPointFrame = z.output<typeof hubPointFrameSchema>;
