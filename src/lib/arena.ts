const UNIT = 16;
/** The largest allocation, and the size of the blocks that an arena requests from the system. */
export const SLAB_BYTES = 1 << 20;
const UNITS_PER_SLAB = SLAB_BYTES / UNIT;

/**
 * Byte strings of up to 1 MiB outside the JavaScript heap, in slabs, so that a million of them cost the garbage
 * collector nothing. An allocation is named by its address in units of 16 bytes. Sizes are rounded up to classes
 * (every unit up to 1 KiB, then 32 for each doubling), and freed space is reused within its class.
 */
export class Arena {
  readonly #slabs: Buffer[] = [];
  #nextUnit = 0;
  /** Freed addresses by size class, i.e. by number of units. */
  readonly #free = new Map<number, number[]>();
  #usedBytes = 0;

  /** Bytes in use, including rounding. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes taken from the system. */
  get reservedBytes(): number {
    return this.#slabs.length * SLAB_BYTES;
  }

  /** Allocates this many bytes. */
  allocate(bytes: number): number {
    const units = sizeClass(bytes);
    this.#usedBytes += units * UNIT;
    const reused = this.#free.get(units)?.pop();
    if (reused !== undefined) return reused;
    const left = this.#slabs.length * UNITS_PER_SLAB - this.#nextUnit;
    if (left < units) {
      this.#reuseTail(left);
      this.#nextUnit = this.#slabs.length * UNITS_PER_SLAB;
      this.#slabs.push(Buffer.allocUnsafeSlow(SLAB_BYTES));
    }
    const address = this.#nextUnit;
    this.#nextUnit += units;
    return address;
  }

  /**
   * Adopts a slab that was filled elsewhere, with allocations spaced as `roomFor` says.
   * @param bytes How much of it is filled.
   * @returns The address of its first byte.
   */
  adopt(slab: Buffer, bytes: number): number {
    this.#reuseTail(this.#slabs.length * UNITS_PER_SLAB - this.#nextUnit);
    const address = this.#slabs.length * UNITS_PER_SLAB;
    this.#slabs.push(slab);
    this.#usedBytes += bytes;
    this.#nextUnit = address + bytes / UNIT;
    return address;
  }

  /** Frees an allocation of this many bytes. */
  release(address: number, bytes: number): void {
    const units = sizeClass(bytes);
    this.#usedBytes -= units * UNIT;
    this.#freeList(units).push(address);
  }

  /** The slab that an address lies in. */
  slab(address: number): Buffer {
    return this.#slabs[Math.floor(address / UNITS_PER_SLAB)]!;
  }

  /** The byte within the slab at which an address begins. */
  offset(address: number): number {
    return (address % UNITS_PER_SLAB) * UNIT;
  }

  /** A view of the bytes at an address, valid until they are released. */
  view(address: number, bytes: number): Buffer {
    const offset = this.offset(address);
    return this.slab(address).subarray(offset, offset + bytes);
  }

  /** Copies the bytes at an address to a place in `target`, without the cost of a view that outlives it. */
  copy(address: number, bytes: number, target: Uint8Array, position: number): void {
    const slab = this.slab(address);
    target.set(new Uint8Array(slab.buffer, slab.byteOffset + this.offset(address), bytes), position);
  }

  #freeList(units: number): number[] {
    let list = this.#free.get(units);
    if (list === undefined) {
      list = [];
      this.#free.set(units, list);
    }
    return list;
  }

  /** Adds the rest of a slab, too short for the next allocation, to the free lists. */
  #reuseTail(left: number): void {
    while (left > 0) {
      const units = classBelow(left);
      this.#freeList(units).push(this.#nextUnit);
      this.#nextUnit += units;
      left -= units;
    }
  }
}

/** How many bytes an allocation of this size takes up. */
export function roomFor(bytes: number): number {
  return sizeClass(bytes) * UNIT;
}

/** How many addresses a number of bytes spans. */
export function addressesIn(bytes: number): number {
  return bytes / UNIT;
}

/** Units of the smallest class that holds this many bytes. */
function sizeClass(bytes: number): number {
  const units = Math.max(1, Math.ceil(bytes / UNIT));
  const step = classStep(units);
  return Math.ceil(units / step) * step;
}

/** Units of the largest class that fits into this many units. */
function classBelow(units: number): number {
  const step = classStep(units);
  return Math.floor(units / step) * step;
}

function classStep(units: number): number {
  return units <= 64 ? 1 : 1 << (26 - Math.clz32(units - 1));
}
