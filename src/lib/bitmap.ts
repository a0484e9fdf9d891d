/** How many 32-bit words hold this many bits. */
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

/** The number of the lowest set bit of a word that has one. */
export function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** How many bits of a word are set. */
export function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
