/** Words of 32 bits for so many bits. */
export function wordsFor(bits: number): number {
  return (bits + 31) >>> 5;
}

export function setBit(bitmap: Uint32Array, bit: number): void {
  bitmap[bit >>> 5]! |= 1 << (bit & 31);
}

export function clearBit(bitmap: Uint32Array, bit: number): void {
  bitmap[bit >>> 5]! &= ~(1 << (bit & 31));
}

export function hasBit(bitmap: Uint32Array, bit: number): boolean {
  return (bitmap[bit >>> 5]! & (1 << (bit & 31))) !== 0;
}

/** Calls `visit` with each set bit of a word, `base` being the number of its lowest bit. */
export function forEachBit(word: number, base: number, visit: (bit: number) => void): void {
  for (let rest = word; rest !== 0; rest &= rest - 1) visit(base + (31 - Math.clz32(rest & -rest)));
}
