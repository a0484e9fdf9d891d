/**
 * The curve of Ed25519 in plain big integers, slow and close to RFC 8032: enough to make the odd encodings that a
 * verifier has to refuse.
 */

export const FIELD_PRIME = 2n ** 255n - 19n;
/** The order of the base point. */
export const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** Coordinates modulo the prime. */
export interface Point {
  x: bigint;
  y: bigint;
}

function mod(value: bigint): bigint {
  const rest = value % FIELD_PRIME;
  return rest < 0n ? rest + FIELD_PRIME : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = mod(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * factor);
    factor = mod(factor * factor);
  }
  return result;
}

const inverse = (value: bigint): bigint => power(value, FIELD_PRIME - 2n);
const D = mod(-121665n * inverse(121666n));
const SQRT_OF_MINUS_ONE = power(2n, (FIELD_PRIME - 1n) / 4n);

const IDENTITY: Point = { x: 0n, y: 1n };

export function add(a: Point, b: Point): Point {
  const cross = mod(D * a.x * b.x * a.y * b.y);
  return {
    x: mod((a.x * b.y + b.x * a.y) * inverse(1n + cross)),
    y: mod((a.y * b.y + a.x * b.x) * inverse(1n - cross)),
  };
}

export function multiply(point: Point, factor: bigint): Point {
  let result = IDENTITY;
  let summand = point;
  for (let rest = factor; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = add(result, summand);
    summand = add(summand, summand);
  }
  return result;
}

/** The point that 32 bytes in hex stand for; null when there is none. */
export function decodePoint(hex: string): Point | null {
  const bits = decodeNumber(hex);
  const point = pointWithY(bits & (2n ** 255n - 1n));
  if (point === null || (point.x & 1n) === bits >> 255n) return point;
  return { x: mod(-point.x), y: point.y };
}

/** One of the two points with this y; null when there is none. */
export function pointWithY(y: bigint): Point | null {
  const square = mod((y * y - 1n) * inverse(D * y * y + 1n));
  const root = power(square, (FIELD_PRIME + 3n) / 8n);
  for (const x of [root, mod(root * SQRT_OF_MINUS_ONE)]) if (mod(x * x) === square) return { x, y };
  return null;
}

/** All eight points of small order. */
export function smallOrderPoints(): Point[] {
  for (let y = 2n; ; y += 1n) {
    const point = pointWithY(y);
    if (point === null) continue;
    const generator = multiply(point, GROUP_ORDER);
    const fourfold = multiply(generator, 4n);
    if (fourfold.y === 1n && fourfold.x === 0n) continue;
    return Array.from({ length: 8 }, (_, factor) => multiply(generator, BigInt(factor)));
  }
}

/** 32 bytes, little endian, in hex, with the sign in the highest bit; `y` may be up to 2^255 - 1. */
export function encode(y: bigint, sign: bigint): string {
  const bigEndian = (y | (sign << 255n)).toString(16).padStart(64, '0');
  return Buffer.from(bigEndian, 'hex').reverse().toString('hex');
}

export function encodePoint({ x, y }: Point): string {
  return encode(y, x & 1n);
}

/** The number that little-endian hex stands for. */
export function decodeNumber(hex: string): bigint {
  return BigInt(`0x${Buffer.from(hex, 'hex').reverse().toString('hex')}`);
}
