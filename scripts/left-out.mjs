// A reporter for `npm test` that speaks at the end: which tests were left out, and what would bring them in.

/** @param {AsyncIterable<{ type: string, data: { name: string, skip?: string | boolean } }>} events */
export default async function* leftOut(events) {
  /** The tests by their reason. */
  const reasons = new Map();
  for await (const { type, data } of events) {
    if (type !== 'test:pass' || data.skip === undefined || data.skip === false) continue;
    const reason = typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason given';
    reasons.set(reason, [...(reasons.get(reason) ?? []), data.name]);
  }
  if (reasons.size === 0) return;
  yield '\nLeft out on this machine:\n';
  for (const [reason, names] of reasons) {
    yield `  ${reason}\n`;
    for (const name of new Set(names)) yield `    - ${name}\n`;
  }
}
