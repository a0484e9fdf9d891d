/** Elements that are moved before others get their turn. */
const STEP = 8192;

/**
 * Sorts in steps: gives the places of `keys` in ascending order of the keys, equal ones in the order in which they came.
 * Yields how many elements were moved since the last time.
 */
export function* stableOrder(keys: Float64Array): Generator<number, Uint32Array> {
  const count = keys.length;
  let from = new Uint32Array(count);
  let into = new Uint32Array(count);
  for (let place = 0; place < count; place += 1) from[place] = place;
  let moved = 0;
  for (let width = 1; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      const middle = Math.min(start + width, count);
      const end = Math.min(start + 2 * width, count);
      let left = start;
      let right = middle;
      for (let at = start; at < end; at += 1) {
        const isLeft = left < middle && (right >= end || keys[from[left]!]! <= keys[from[right]!]!);
        into[at] = isLeft ? from[left++]! : from[right++]!;
        moved += 1;
        if (moved === STEP) {
          yield moved;
          moved = 0;
        }
      }
    }
    [from, into] = [into, from];
  }
  return from;
}
