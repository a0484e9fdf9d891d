import fc from '../support/properties.js';
import type { Filter } from '../../src/protocol/filters/filter.js';
import type { UpType } from '../../src/protocol/frames/frames-up.js';
import { type Content, filter, payloadOf } from '../support/data/arbitraries.js';
import type { CodecName } from '../support/hubs/test-hub.js';
import { oddContent } from './contents.js';
import { encodeFrame } from './encoding.js';
import {
  byteMutation,
  type ByteMutation,
  mutate,
  mutateBytes,
  type Mutation,
  mutation,
  splice,
} from './mutations.js';
import type { Speaker } from './speaker.js';

/** A frame of the contract, before anything was done to it. */
interface Origin {
  type: UpType;
  id: number | string;
  content: Content;
  filter: Filter;
  /** Whether its signature is a real one. */
  signed: boolean;
}

/** What to send: some origin, and what is done to it on its way. */
export interface FrameItem {
  origin: Origin;
  /** Changes to the advertisement inside, before it is signed. */
  payload: Mutation[];
  /** Members that the frame gets from a frame of another kind. */
  grafted: Origin | null;
  /** Changes to the frame. */
  mutations: Mutation[];
  /** Changes to its bytes. */
  bytes: ByteMutation[];
  /** Another frame whose second half replaces its own. */
  spliced: { origin: Origin; at: number } | null;
  /** Whether it travels in the other kind of WebSocket message. */
  misplaced: boolean;
}

const TYPES = [
  'heartbeat',
  'subscribe',
  'unsubscribe',
  'advertise',
  'withdraw',
  'authenticate',
  'visibility',
] as const;

const origin: fc.Arbitrary<Origin> = fc.record(
  {
    type: fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(...TYPES) },
      { weight: 3, arbitrary: fc.constantFrom('heartbeat', 'subscribe', 'unsubscribe', 'advertise') },
    ),
    id: fc.oneof(fc.nat(1_000_000), fc.string({ minLength: 1, maxLength: 64 })),
    content: oddContent,
    filter,
    // A signature takes as long as twenty frames without.
    signed: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  },
  { noNullPrototype: true },
);

const untouched: { [Member in Exclude<keyof FrameItem, 'origin'>]: fc.Arbitrary<FrameItem[Member]> } = {
  payload: fc.constant<Mutation[]>([]),
  grafted: fc.constant(null),
  mutations: fc.constant<Mutation[]>([]),
  bytes: fc.constant<ByteMutation[]>([]),
  spliced: fc.constant(null),
  misplaced: fc.constant<boolean>(false),
};

function item(
  changes: Partial<typeof untouched> & { origin?: fc.Arbitrary<Origin> },
): fc.Arbitrary<FrameItem> {
  return fc.record({ origin, ...untouched, ...changes }, { noNullPrototype: true });
}

const some = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { minLength: 1, maxLength: 4 });

/** Frames that leave the connection open, whatever is wrong inside, unless they say that they are another provider. */
export const readableItem = fc.oneof(
  { weight: 2, arbitrary: item({}) },
  { weight: 6, arbitrary: item({ mutations: some(mutation) }) },
  { weight: 1, arbitrary: item({ grafted: origin, mutations: fc.array(mutation, { maxLength: 1 }) }) },
  {
    weight: 1,
    arbitrary: item({
      origin: origin.map((one) => ({ ...one, type: 'advertise' as const, signed: true })),
      // Half of them are acceptable, so that everybody is told of them.
      payload: fc.oneof(untouched.payload, some(mutation)),
    }),
  },
);

/** Frames whose bytes are damaged: most of them are the last of their connection. */
export const damagedItem = fc.oneof(
  { weight: 6, arbitrary: item({ bytes: some(byteMutation) }) },
  { weight: 2, arbitrary: item({ mutations: some(mutation), bytes: some(byteMutation) }) },
  { weight: 2, arbitrary: item({ spliced: fc.record({ origin, at: fc.nat(4096) }) }) },
  { weight: 1, arbitrary: item({ misplaced: fc.constant<boolean>(true) }) },
);

const FORGED = 'ab'.repeat(64);

/** The frame that an origin is, in the mouth of a speaker. */
function frameOf(from: Origin, speaker: Speaker, changes: readonly Mutation[]): Record<string, unknown> {
  const { type, id } = from;
  switch (type) {
    case 'heartbeat':
      return { type };
    case 'subscribe': {
      const cursor = speaker.cursor;
      return { type, id, filter: from.filter, ...(from.signed && cursor !== null ? { resume: cursor } : {}) };
    }
    case 'unsubscribe':
      return { type, id, stream: speaker.streams[String(id).length % 4] ?? 's1' };
    case 'visibility':
      return { type, id };
    case 'withdraw': {
      const t = speaker.nextT();
      return { type, id, t, signature: from.signed ? speaker.sign('withdraw', t, '') : FORGED };
    }
    case 'advertise': {
      const t = speaker.nextT();
      let payload = payloadOf(from.content);
      if (changes.length > 0) payload = encodeFrame('json', mutate(JSON.parse(payload), changes)).toString();
      return {
        type,
        id,
        payload,
        t,
        signature: from.signed ? speaker.sign('advertise', t, payload) : FORGED,
      };
    }
    case 'authenticate':
      return { ...speaker.authenticateFrame(from.signed), id };
  }
}

/** The very bytes that an item is for a speaker, and the kind of message that they travel in. */
export function bytesOf(
  { origin: from, payload, grafted, mutations, bytes, spliced, misplaced }: FrameItem,
  speaker: Speaker,
  codec: CodecName,
): { bytes: Buffer; binary: boolean } {
  let frame: unknown = frameOf(from, speaker, payload);
  if (grafted !== null) frame = { ...frameOf(grafted, speaker, []), ...(frame as object) };
  let encoded = encodeFrame(codec, mutations.length > 0 ? mutate(frame, mutations) : frame);
  if (spliced !== null) {
    encoded = splice(encoded, encodeFrame(codec, frameOf(spliced.origin, speaker, [])), spliced.at);
  }
  if (bytes.length > 0) encoded = mutateBytes(encoded, bytes);
  return { bytes: encoded, binary: (codec === 'msgpack') !== misplaced };
}

/** Whether nothing was done to an item, so that a hub has to accept it if it is signed. */
export function isHonest({
  origin: from,
  payload,
  grafted,
  mutations,
  bytes,
  spliced,
  misplaced,
}: FrameItem): boolean {
  const isWhole = grafted === null && spliced === null && !misplaced;
  return from.signed && isWhole && payload.length + mutations.length + bytes.length === 0;
}
