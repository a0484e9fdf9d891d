/**
 * The part of protobuf's encoding that etcd's messages need. A message is described by a table of fields, from which its type is inferred.
 * Unknown fields are skipped; missing ones have their default.
 */

/** `number` is for integers known to fit one, `big` for those that use all 64 bits. */
type Scalar = 'bytes' | 'text' | 'number' | 'big' | 'flag';
type FieldType = Scalar | { one: Fields } | { many: Fields };
/** The number and the type of each field, by name. */
export type Fields = Readonly<Record<string, readonly [number, FieldType]>>;

interface Scalars {
  bytes: Uint8Array;
  text: string;
  number: number;
  big: bigint;
  flag: boolean;
}

type Decoded<Type extends FieldType> = Type extends Scalar
  ? Scalars[Type]
  : Type extends { one: infer Inner extends Fields }
    ? Message<Inner> | null
    : Type extends { many: infer Inner extends Fields }
      ? Message<Inner>[]
      : never;

type Given<Type extends FieldType> = Type extends Scalar
  ? Scalars[Type]
  : Type extends { one: infer Inner extends Fields }
    ? Draft<Inner>
    : Type extends { many: infer Inner extends Fields }
      ? Draft<Inner>[]
      : never;

/** A received message. Nested messages that were not sent are null. */
export type Message<All extends Fields> = { [Name in keyof All]: Decoded<All[Name][1]> };
/** A message to send. */
export type Draft<All extends Fields> = { readonly [Name in keyof All]?: Given<All[Name][1]> };

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** Encodes a message. Fields with default values are omitted. */
export function encode<All extends Fields>(fields: All, message: Draft<All>): Buffer {
  const parts: Uint8Array[] = [];
  write(parts, fields, message);
  return Buffer.concat(parts);
}

function write(parts: Uint8Array[], fields: Fields, message: Readonly<Record<string, unknown>>): void {
  for (const [name, [no, type]] of Object.entries(fields)) {
    const value = message[name];
    if (value === undefined || value === null) continue;
    if (typeof type === 'object') {
      const [inner, messages] = 'one' in type ? [type.one, [value]] : [type.many, value as unknown[]];
      for (const one of messages) writeBytes(parts, no, encode(inner, one as Draft<Fields>));
    } else if (type === 'bytes' || type === 'text') {
      const bytes = type === 'text' ? Buffer.from(value as string) : (value as Uint8Array);
      if (bytes.length > 0) writeBytes(parts, no, bytes);
    } else {
      const number = BigInt(value as number | bigint | boolean);
      if (number !== 0n) parts.push(varint(BigInt(no * 8 + VARINT)), varint(number));
    }
  }
}

function writeBytes(parts: Uint8Array[], no: number, bytes: Uint8Array): void {
  parts.push(varint(BigInt(no * 8 + LENGTH)), varint(BigInt(bytes.length)), bytes);
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/**
 * Decodes a message.
 * @throws RangeError if the bytes are truncated or not such a message.
 */
export function decode<All extends Fields>(fields: All, bytes: Uint8Array): Message<All> {
  const message: Record<string, unknown> = {};
  const byNumber = new Map<number, [string, FieldType]>();
  for (const [name, [no, type]] of Object.entries(fields)) {
    byNumber.set(no, [name, type]);
    message[name] = defaultOf(type);
  }
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const tag = Number(reader.varint());
    const [name, type] = byNumber.get(tag >> 3) ?? [];
    const value = reader.value(tag & 7);
    if (name === undefined || type === undefined || value === undefined) continue;
    if (typeof value === 'bigint') message[name] = numberOf(type, value);
    else if (typeof type !== 'object') message[name] = type === 'text' ? value.toString('utf8') : value;
    else if ('one' in type) message[name] = decode(type.one, value);
    else (message[name] as unknown[]).push(decode(type.many, value));
  }
  // Each value was decoded by the type of its field.
  return message as Message<All>;
}

function defaultOf(type: FieldType): unknown {
  if (typeof type === 'object') return 'one' in type ? null : [];
  return { bytes: Buffer.alloc(0), text: '', number: 0, big: 0n, flag: false }[type];
}

function numberOf(type: FieldType, value: bigint): unknown {
  if (type === 'flag') return value !== 0n;
  const signed = BigInt.asIntN(64, value);
  return type === 'big' ? signed : Number(signed);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let low = 0;
    // Fast path: nearly all numbers fit 28 bits.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number has more than ten bytes');
  }

  /** The value after a tag; undefined for a wire type that no field here has. */
  value(wireType: number): bigint | Buffer | undefined {
    switch (wireType) {
      case VARINT:
        return this.varint();
      case LENGTH:
        return this.#take(Number(this.varint()));
      case FIXED64:
        this.#take(8);
        return undefined;
      case FIXED32:
        this.#take(4);
        return undefined;
      default:
        throw new RangeError(`there is no wire type ${wireType}`);
    }
  }

  #byte(): number {
    if (this.isAtEnd) throw new RangeError('the message ends within a number');
    const byte = this.#bytes[this.#at]!;
    this.#at += 1;
    return byte;
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('the message ends within a field');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}
