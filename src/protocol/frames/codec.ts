import { Packr } from 'msgpackr';
import { type Decoded, decodeJson } from '../json.js';
import { SUBPROTOCOLS } from '../limits.js';
import { findMsgpackProblem } from './msgpack-guard.js';
import { utf8 } from '../text.js';

/** The wire forms of WebSocket frames. */
export type CodecName = keyof typeof SUBPROTOCOLS;

/** The forms in which the hub sends frames of streams: over WebSockets, or as server-sent events. */
export type WireName = CodecName | 'events';

/**
 * One of the wire forms. Besides encoding whole frames, it can assemble frames from encoded parts, so that an advertisement is encoded once,
 * however many streams it goes to.
 */
export interface Codec {
  readonly name: WireName;
  /** Whether frames travel as binary WebSocket messages. */
  readonly binary: boolean;
  /** Encodes a whole value. */
  encode(value: unknown): Uint8Array;
  /**
   * Decodes untrusted bytes, bounded in depth and number of values.
   * @param maxValues How many values there may be; by default as many as a hub accepts. Snapshots have more.
   */
  decode(bytes: Uint8Array, maxValues?: number): Decoded;
  /** Encodes the object `head` (1 to 14 members) with one more member whose value is already encoded. */
  extend(head: object, member: string, value: Uint8Array): Uint8Array;
  /** The same with a member that is a list of encoded items. */
  extendList(head: object, member: string, items: readonly Uint8Array[]): Uint8Array;
  /** What to send for an encoded frame: over WebSockets, the frame itself. */
  wrap(head: FrameHead, frame: Uint8Array): Uint8Array;
}

/** The metadata of a stream's frame. */
export interface FrameHead {
  readonly type: string;
  /** Null where it has none. */
  readonly cursor: string | null;
}

/** Joins byte strings. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let position = 0;
  for (const part of parts) {
    joined.set(part, position);
    position += part.length;
  }
  return joined;
}

const COMMA = utf8(',');
const CLOSE_OBJECT = utf8('}');
const OPEN_LIST = utf8('[');
const CLOSE_LIST = utf8(']');

/** An object up to the value of its last member. */
function openJson(head: object, member: string): Uint8Array {
  return utf8(`${JSON.stringify(head).slice(0, -1)},${JSON.stringify(member)}:`);
}

export const json: Codec = {
  name: 'json',
  binary: false,
  encode: (value) => utf8(JSON.stringify(value)),
  decode: decodeJson,
  extend: (head, member, value) => concat([openJson(head, member), value, CLOSE_OBJECT]),
  extendList(head, member, items) {
    const parts: Uint8Array[] = [openJson(head, member), OPEN_LIST];
    items.forEach((item, index) => {
      if (index > 0) parts.push(COMMA);
      parts.push(item);
    });
    parts.push(CLOSE_LIST, CLOSE_OBJECT);
    return concat(parts);
  },
  wrap: (_, frame) => frame,
};

const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  mapsAsObjects: true,
  int64AsType: 'number',
  encodeUndefinedAsNil: true,
  // Values are plain data; a member that a stranger named toJSON must not be called.
  useToJSON: false,
});

function packListHeader(length: number): Uint8Array {
  if (length < 16) return Uint8Array.of(0x90 | length);
  if (length < 0x10000) return Uint8Array.of(0xdc, length >> 8, length & 0xff);
  return Uint8Array.of(0xdd, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
}

/** An object up to the value of its last member. */
function openMsgpack(head: object, member: string): Uint8Array[] {
  const open = packr.pack(head);
  // A map of up to 15 members has their number in the low half of its first byte.
  open[0] = open[0]! + 1;
  return [open, packr.pack(member)];
}

const msgpack: Codec = {
  name: 'msgpack',
  binary: true,
  encode: (value) => packr.pack(value),
  decode(bytes, maxValues) {
    const problem = findMsgpackProblem(bytes, maxValues);
    if (problem !== null) return { ok: false, problem: `it is not acceptable MessagePack: ${problem}` };
    try {
      return { ok: true, value: packr.unpack(bytes) as unknown };
    } catch (error) {
      return {
        ok: false,
        problem: `it is not valid MessagePack (${(error as Error).message.slice(0, 120)})`,
      };
    }
  },
  extend: (head, member, value) => concat([...openMsgpack(head, member), value]),
  extendList: (head, member, items) =>
    concat([...openMsgpack(head, member), packListHeader(items.length), ...items]),
  wrap: (_, frame) => frame,
};

export const CODECS: Readonly<Record<CodecName, Codec>> = { json, msgpack };

/**
 * Picks the codec for a handshake: the first offered subprotocol that is known.
 * @param offered The value of `Sec-WebSocket-Protocol`; empty if the client sent none, which means JSON.
 * @returns The codec and the subprotocol to confirm; null if only unknown ones were offered.
 */
export function negotiateCodec(offered: string): { codec: Codec; subprotocol: string } | null {
  if (offered.trim() === '') return { codec: json, subprotocol: '' };
  for (const name of offered.split(',').map((part) => part.trim())) {
    if (name === SUBPROTOCOLS.json) return { codec: json, subprotocol: name };
    if (name === SUBPROTOCOLS.msgpack) return { codec: msgpack, subprotocol: name };
  }
  return null;
}
