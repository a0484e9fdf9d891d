/** Names that differ in more than this share of their letters, and in more than two letters, are not suggested. */
const MAX_SHARE = 0.4;

/** The Levenshtein distance: how many letters to insert, delete or replace to turn one text into the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The known name closest to the given one; null if none is close. */
export function didYouMean(written: string, known: readonly string[]): string | null {
  const bound = Math.max(2, Math.floor(written.length * MAX_SHARE));
  let best: { name: string; away: number } | null = null;
  for (const name of known) {
    if (Math.abs(name.length - written.length) > bound) continue;
    const away = distance(written, name);
    if (away <= bound && (best === null || away < best.away)) best = { name, away };
  }
  return best?.name ?? null;
}
