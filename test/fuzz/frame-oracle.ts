import assert from 'node:assert/strict';
import { CLOSE } from '../../src/protocol/frames/close-codes.js';
import { CODECS } from '../../src/protocol/frames/codec.js';
import { ERROR_STATUS } from '../../src/protocol/errors.js';
import { parseUpFrame, type RequestId, type UpType } from '../../src/protocol/frames/frames-up.js';
import { LIMITS } from '../../src/protocol/limits.js';
import { decodeUtf8 } from '../../src/protocol/text.js';
import type { CodecName, TransportName } from '../support/hubs/test-hub.js';
import type { Frame } from '../support/clients/test-socket.js';

/** Which answers a frame may get, by the contract. */
export interface Expectation {
  /** Undefined where the answer carries no id. */
  id: RequestId | undefined;
  /** The type of its answer when all is well; null when it can only be refused. */
  answer: string | null;
  /** The codes that it may be refused with. */
  refusals: readonly string[];
  /** Whether it is worked off behind signed requests, instead of at once. */
  signed: boolean;
  /** Whether its answer may come later than those of signed requests behind it. */
  later?: true;
  /** Close codes, where the connection ends with it. */
  closes: readonly number[];
}

const AUTH = ['AUTH_001', 'AUTH_002', 'AUTH_004', 'AUTH_005'];
const OUTCOMES: Record<UpType, Pick<Expectation, 'answer' | 'refusals' | 'signed' | 'later'>> = {
  heartbeat: { answer: 'heartbeat', refusals: [], signed: false },
  subscribe: { answer: 'subscribed', refusals: ['ADV_002', 'WS_003'], signed: false },
  unsubscribe: { answer: 'unsubscribed', refusals: ['WS_001'], signed: false },
  authenticate: { answer: 'authenticated', refusals: AUTH, signed: true },
  advertise: { answer: 'advertised', refusals: ['WS_002', 'ADV_001', 'ADV_002', ...AUTH], signed: true },
  visibility: { answer: 'visibility', refusals: ['WS_002', 'RATE_001'], signed: true, later: true },
  withdraw: { answer: 'withdrawn', refusals: ['WS_002', 'ADV_004', ...AUTH], signed: true },
};

/** What the contract says of these bytes as a frame. */
export function expectationOf(
  bytes: Uint8Array,
  binary: boolean,
  codec: CodecName,
  transport: TransportName,
): Expectation {
  const refusal = { id: undefined, answer: null, refusals: ['WS_001'], signed: false } as const;
  // This library cuts the connection by itself.
  const isFarTooLong = bytes.length > LIMITS.maxFrameBytes + 4096;
  const isCut = transport === 'uws' && (isFarTooLong || (!binary && decodeUtf8(bytes) === null));
  if (isCut) return { ...refusal, refusals: [], closes: [1006] };
  if (bytes.length > LIMITS.maxFrameBytes) return { ...refusal, refusals: [], closes: [CLOSE.frameTooBig] };
  const malformed = { ...refusal, closes: [CLOSE.malformedFrame] };
  if (binary !== (codec === 'msgpack')) return malformed;
  const decoded = CODECS[codec].decode(bytes);
  if (
    !decoded.ok ||
    typeof decoded.value !== 'object' ||
    decoded.value === null ||
    Array.isArray(decoded.value)
  )
    return malformed;
  const parsed = parseUpFrame(decoded.value);
  if (!parsed.ok) return { ...refusal, id: parsed.id, closes: [] };
  const { type } = parsed.frame;
  const id = 'id' in parsed.frame ? parsed.frame.id : undefined;
  return { id, ...OUTCOMES[type], closes: [] };
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const CURSOR = /^[0-9a-z]{1,32}:\d+$/;

/** Checks an error as every one has to be, in a frame or a body. */
export function assertErrorShape(error: Record<string, unknown>, members: readonly string[]): void {
  const said = JSON.stringify(error);
  assert.deepEqual(Object.keys(error).sort(), [...members].sort(), said);
  assert.ok(Object.hasOwn(ERROR_STATUS, error['code'] as string), said);
  assert.match(error['timestamp'] as string, ISO_TIME, said);
  const message = error['message'] as string;
  assert.ok(typeof message === 'string' && message !== '' && message.length < 3000, said);
  assert.doesNotMatch(message, /\p{Surrogate}/u, said);
}

/** Checks what a stream sends of its own accord; false when it is something else. */
export function isStreamFrame(frame: Frame): boolean {
  switch (frame['type']) {
    case 'snapshot':
      assert.ok(Array.isArray(frame['advertisements']) && typeof frame['last'] === 'boolean');
      break;
    case 'events':
      assert.ok(Array.isArray(frame['events']) && frame['events'].length > 0);
      break;
    case 'bookmark':
      break;
    default:
      return false;
  }
  // In the middle of a snapshot there is no truth to come back to.
  if (frame['last'] !== false) assert.match(frame['cursor'] as string, CURSOR);
  else assert.equal(frame['cursor'], null);
  if (frame['type'] !== 'bookmark') assert.equal(typeof frame['stream'], 'string');
  return true;
}

/** Whether a frame is an answer that this expectation allows. */
function answers(frame: Frame, { id, answer, refusals, signed }: Expectation): boolean {
  if (frame['id'] !== id) return false;
  if (frame['type'] !== 'error') return frame['type'] === answer;
  // The one code that both a filter and an advertisement may get.
  const isFilter = (frame['message'] as string).startsWith('invalid filter');
  return refusals.includes(frame['code'] as string) && (frame['code'] !== 'ADV_002' || isFilter !== signed);
}

/**
 * Takes the expectation that a frame answers out of those that are pending. Requests without a signature are
 * answered in their order, and so are those with one, but the former may overtake the latter, and what may come later both.
 */
export function settle(frame: Frame, pending: Expectation[]): Expectation {
  if (frame['type'] === 'error') {
    assertErrorShape(frame, ['type', 'code', 'message', 'timestamp', ...('id' in frame ? ['id'] : [])]);
  }
  const lines: readonly ((one: Expectation) => boolean)[] = [
    ({ signed }) => !signed,
    ({ signed, later }) => signed && later === undefined,
    ({ later }) => later === true,
  ];
  for (const isInLine of lines) {
    const at = pending.findIndex(isInLine);
    if (at >= 0 && answers(frame, pending[at]!)) return pending.splice(at, 1)[0]!;
  }
  return assert.fail(
    `${JSON.stringify(frame).slice(0, 600)} answers none of ${JSON.stringify(pending.slice(0, 5))}`,
  );
}
