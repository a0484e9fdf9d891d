import { LIMITS } from './limits.js';
import { decodeUtf8, toWellFormed } from './text.js';

export type Decoded = { ok: true; value: unknown } | { ok: false; problem: string };

/** Parses JSON from untrusted bytes: well-formed UTF-8, bounded in depth and number of values. */
export function decodeJson(bytes: Uint8Array, maxValues?: number): Decoded {
  const text = decodeUtf8(bytes);
  return text === null ? { ok: false, problem: 'it is not well-formed UTF-8' } : parseJson(text, maxValues);
}

/**
 * Parses JSON text, bounded in depth and number of values.
 * @param maxValues How many values it may have; by default as many as a hub accepts.
 */
export function parseJson(text: string, maxValues: number = LIMITS.maxValues): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The message quotes the text, and may cut a character in two.
    const reason = toWellFormed((error as Error).message.slice(0, 120));
    return { ok: false, problem: `it is not valid JSON (${reason})` };
  }
  const problem = findShapeProblem(value, maxValues);
  return problem === null ? { ok: true, value } : { ok: false, problem };
}

/** Walks a decoded value breadth first, with an explicit queue, because deep nesting attacks recursion. */
function findShapeProblem(value: unknown, maxValues: number): string | null {
  let level: unknown[] = [value];
  let values = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: unknown[] = [];
    for (const item of level) {
      values += 1;
      if (typeof item !== 'object' || item === null) continue;
      if (depth >= LIMITS.maxDepth) return `it is nested deeper than ${String(LIMITS.maxDepth)} levels`;
      for (const member of Object.values(item)) next.push(member);
    }
    if (values + next.length > maxValues) return `it has more than ${String(maxValues)} values`;
    level = next;
  }
  return null;
}
