/** How many elements to move before yielding, and how many of them equal the work of one row. */
const STEP = 65_536;
const MOVES_A_ROW = 8;

/**
 * A stable sort in steps: returns the positions of `keys`, which it overwrites, in ascending order. Yields the work done since the
 * last step, in rows.
 */
export function* stableOrder(keys: Float64Array<ArrayBuffer>): Generator<number, Uint32Array> {
  const count = keys.length;
  const places = new Uint32Array(count);
  for (let start = 0; start < count; start += STEP) {
    const end = Math.min(start + STEP, count);
    for (let place = start; place < end; place += 1) places[place] = place;
    yield (end - start) / MOVES_A_ROW;
  }
  let from = { keys, places };
  let into = { keys: new Float64Array(count), places: new Uint32Array(count) };
  let moved = 0;
  for (let width = 1; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      const middle = Math.min(start + width, count);
      const end = Math.min(start + 2 * width, count);
      let left = start;
      let right = middle;
      for (let at = start; at < end; at += 1) {
        const isLeft = left < middle && (right >= end || from.keys[left]! <= from.keys[right]!);
        const taken = isLeft ? left++ : right++;
        into.keys[at] = from.keys[taken]!;
        into.places[at] = from.places[taken]!;
        moved += 1;
        if (moved === STEP) {
          yield moved / MOVES_A_ROW;
          moved = 0;
        }
      }
    }
    [from, into] = [into, from];
  }
  return from.places;
}
