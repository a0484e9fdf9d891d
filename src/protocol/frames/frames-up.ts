import * as z from 'zod';
import { describeIssues } from '../advertisement.js';
import { FIRST_PROBLEM, firstShape, isFirstWhole } from '../filters/first.js';
import { LIMITS } from '../limits.js';
import { PROVIDER_ID_PATTERN } from '../provider-id.js';
import { KEY_FORM, KEY_PATTERN, SIGNATURE_FORM, SIGNATURE_PATTERN } from '../schemes/table.js';
import { isWellFormed } from '../text.js';

const REQUEST_ID_FORM = `must be an integer within ±(2^53 - 1), or a well-formed string of 1 to ${String(LIMITS.maxRequestIdLength)} characters`;

/** The schema of the `id` of a request, and of its answer. */
export const requestId = z.union(
  [
    z.int(REQUEST_ID_FORM),
    z
      .string(REQUEST_ID_FORM)
      .min(1, REQUEST_ID_FORM)
      .max(LIMITS.maxRequestIdLength, REQUEST_ID_FORM)
      .refine(isWellFormed, REQUEST_ID_FORM),
  ],
  REQUEST_ID_FORM,
);

/** Matches a response to its request. */
export type RequestId = z.infer<typeof requestId>;

const time = z.int('must be Unix time in milliseconds').min(0, 'must be Unix time in milliseconds');
const signature = z.string('must be a string').regex(SIGNATURE_PATTERN, `must be ${SIGNATURE_FORM}`);

const authenticate = z.object({
  type: z.literal('authenticate'),
  id: requestId,
  provider_id: z
    .string('must be a string')
    .regex(PROVIDER_ID_PATTERN, 'must be a key id or a name of 1 to 128 of A-Z a-z 0-9 . _ : -'),
  public_key: z
    .string('must be a string')
    .regex(KEY_PATTERN, `must be ${KEY_FORM}`)
    // Some clients write null for an absent member.
    .nullish(),
  t: time,
  signature,
});

const advertise = z.object({
  type: z.literal('advertise'),
  id: requestId,
  payload: z
    .string('must be the JSON text of the advertisement, as a string')
    .refine(isWellFormed, 'must be well-formed Unicode, without lone surrogates'),
  t: time,
  signature,
});

const withdraw = z.object({ type: z.literal('withdraw'), id: requestId, t: time, signature });

const heartbeat = z.object({ type: z.literal('heartbeat') });

const CURSOR_FORM = 'must be a cursor "<epoch>:<seq>"';

const subscribe = z
  .object({
    type: z.literal('subscribe'),
    id: requestId,
    filter: z.nonoptional(z.unknown(), 'is missing; {} matches everything'),
    resume: z.string(CURSOR_FORM).max(128, CURSOR_FORM).nullish(),
    ...firstShape,
  })
  .refine(isFirstWhole, FIRST_PROBLEM);

const STREAM_FORM = 'must be the name of a stream, as "subscribed" gave it';

const unsubscribe = z.object({
  type: z.literal('unsubscribe'),
  id: requestId,
  stream: z.string(STREAM_FORM).max(128, STREAM_FORM),
});

const visibility = z.object({ type: z.literal('visibility'), id: requestId });

/** The schema of every frame that a client may send, by its type. */
export const UP_SCHEMAS = {
  authenticate,
  advertise,
  withdraw,
  heartbeat,
  subscribe,
  unsubscribe,
  visibility,
} as const;

export type UpType = keyof typeof UP_SCHEMAS;
export type UpFrame = { [Type in UpType]: z.infer<(typeof UP_SCHEMAS)[Type]> }[UpType];
/** One kind of frame from a client. */
export type Up<Type extends UpType> = Extract<UpFrame, { type: Type }>;

export type UpResult =
  { ok: true; frame: UpFrame } | { ok: false; id: RequestId | undefined; message: string };

/** Validates a decoded object as a client's frame. Unknown members are ignored. */
export function parseUpFrame(value: object): UpResult {
  const { type, id } = value as { type?: unknown; id?: unknown };
  const known = requestId.safeParse(id);
  const refusal = (message: string): UpResult => ({
    ok: false,
    id: known.success ? known.data : undefined,
    message,
  });
  if (typeof type !== 'string' || !Object.hasOwn(UP_SCHEMAS, type)) {
    const said =
      typeof type === 'string'
        ? `unknown type ${JSON.stringify(type.slice(0, 64))}`
        : 'the frame has no type';
    return refusal(`${said}; known are ${Object.keys(UP_SCHEMAS).join(', ')}`);
  }
  const result = UP_SCHEMAS[type as UpType].safeParse(value);
  return result.success
    ? { ok: true, frame: result.data }
    : refusal(`${type}: ${describeIssues(result.error.issues)}`);
}
