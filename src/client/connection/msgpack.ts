import { findMsgpackProblem } from '../../protocol/frames/msgpack-guard.js';
import type { Decoded } from '../../protocol/json.js';
import { utf8 } from '../../protocol/text.js';

// The hub uses a MessagePack library. A client needs little of it: this is a twelfth of its size, runs everywhere, and has nothing to
// compile.

/** Appends a lead byte and a big-endian number of `bytes` bytes. */
function putSized(out: number[], lead: number, bytes: number, size: number): void {
  out.push(lead);
  for (let at = bytes - 1; at >= 0; at -= 1) out.push(Math.floor(size / 256 ** at) % 256);
}

/**
 * Appends the head of a string, list or map, with its number of bytes, elements or members.
 * @param short The lead byte that has the size in it, for sizes below a bound.
 * @param long The lead bytes that are followed by a size of 1, 2 and 4 bytes; null where there is none.
 */
function putHead(
  out: number[],
  size: number,
  short: { lead: number; below: number },
  [one, two, four]: readonly [number | null, number, number],
): void {
  if (size < short.below) out.push(short.lead | size);
  else if (one !== null && size < 0x100) putSized(out, one, 1, size);
  else if (size < 0x10000) putSized(out, two, 2, size);
  else putSized(out, four, 4, size);
}

function putNumber(out: number[], value: number): void {
  if (Number.isInteger(value) && !Object.is(value, -0)) {
    if (value >= -32 && value < 128) {
      out.push(value & 0xff);
      return;
    }
    if (value >= 0 && value <= 0xffff_ffff) {
      putHead(out, value, { lead: 0, below: 0 }, [0xcc, 0xcd, 0xce]);
      return;
    }
  }
  const float = new Uint8Array(8);
  new DataView(float.buffer).setFloat64(0, value);
  out.push(0xcb, ...float);
}

function put(out: number[], value: unknown): void {
  if (value === null || value === undefined) out.push(0xc0);
  else if (typeof value === 'boolean') out.push(value ? 0xc3 : 0xc2);
  else if (typeof value === 'number') putNumber(out, value);
  else if (typeof value === 'string') {
    const bytes = utf8(value);
    putHead(out, bytes.length, { lead: 0xa0, below: 32 }, [0xd9, 0xda, 0xdb]);
    for (const byte of bytes) out.push(byte);
  } else if (Array.isArray(value)) {
    putHead(out, value.length, { lead: 0x90, below: 16 }, [null, 0xdc, 0xdd]);
    for (const item of value) put(out, item);
  } else {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    putHead(out, members.length, { lead: 0x80, below: 16 }, [null, 0xde, 0xdf]);
    for (const [name, member] of members) {
      put(out, name);
      put(out, member);
    }
  }
}

/** Encodes plain data; undefined members are omitted, as in JSON. */
export function encodeMsgpack(value: unknown): Uint8Array {
  const out: number[] = [];
  put(out, value);
  return Uint8Array.from(out);
}

/** ASCII texts up to this many bytes are decoded by hand, because calling the platform's decoder costs more. */
const SHORT_TEXT = 24;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Reads bytes that have passed the guard, without further checks. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): unknown {
    const lead = this.#bytes[this.#at]!;
    this.#at += 1;
    if (lead < 0x80) return lead;
    if (lead < 0x90) return this.#map(lead & 0x0f);
    if (lead < 0xa0) return this.#list(lead & 0x0f);
    if (lead < 0xc0) return this.#text(lead & 0x1f);
    if (lead >= 0xe0) return lead - 0x100;
    switch (lead) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#size(lead - 0xc4));
      case 0xca:
        return this.#number(4, (at) => this.#view.getFloat32(at));
      case 0xcb:
        return this.#number(8, (at) => this.#view.getFloat64(at));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#size(lead - 0xcc);
      case 0xcf:
        return this.#number(8, (at) => Number(this.#view.getBigUint64(at)));
      case 0xd0:
        return this.#number(1, (at) => this.#view.getInt8(at));
      case 0xd1:
        return this.#number(2, (at) => this.#view.getInt16(at));
      case 0xd2:
        return this.#number(4, (at) => this.#view.getInt32(at));
      case 0xd3:
        return this.#number(8, (at) => Number(this.#view.getBigInt64(at)));
      case 0xdc:
      case 0xdd:
        return this.#list(this.#size(lead - 0xdb));
      case 0xde:
      case 0xdf:
        return this.#map(this.#size(lead - 0xdd));
      default:
        return this.#text(this.#size(lead - 0xd9));
    }
  }

  /** A number of 1, 2 or 4 bytes: 2 to the power of what is given. */
  #size(power: number): number {
    if (power === 0) return this.#number(1, (at) => this.#view.getUint8(at));
    if (power === 1) return this.#number(2, (at) => this.#view.getUint16(at));
    return this.#number(4, (at) => this.#view.getUint32(at));
  }

  #number(bytes: number, get: (at: number) => number): number {
    this.#at += bytes;
    return get(this.#at - bytes);
  }

  #take(length: number): Uint8Array {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #text(length: number): string {
    const bytes = this.#take(length);
    if (length > SHORT_TEXT || bytes.some((byte) => byte >= 0x80)) return decoder.decode(bytes);
    return String.fromCharCode(...bytes);
  }

  #list(length: number): unknown[] {
    const list: unknown[] = [];
    for (let index = 0; index < length; index += 1) list.push(this.read());
    return list;
  }

  #map(size: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    for (let index = 0; index < size; index += 1) {
      const name = this.read() as string;
      const value = this.read();
      // Assigning it would change what the object is.
      if (name !== '__proto__') map[name] = value;
    }
    return map;
  }
}

/**
 * Decodes one value from untrusted bytes, bounded in depth.
 * @param maxValues How many values there may be; by default as many as a hub accepts.
 */
export function decodeMsgpack(bytes: Uint8Array, maxValues?: number): Decoded {
  const problem = findMsgpackProblem(bytes, maxValues);
  if (problem !== null) return { ok: false, problem: `it is not acceptable MessagePack: ${problem}` };
  return { ok: true, value: new Reader(bytes).read() };
}
