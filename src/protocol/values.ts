import * as z from 'zod';
import { characterCount, hasControlCharacters, isWellFormed } from './text.js';

/** Matches the names of further resources and attributes. */
export const FACT_NAME = /^[a-z][a-z0-9_]{0,31}$/;

/** A text of 1 to `max` characters that has a UTF-8 form and no control characters. */
export function boundedText(max: number) {
  return z
    .string('must be a string')
    .refine((text) => text.length > 0 && text.length <= 2 * max && characterCount(text) <= max, {
      message: `must have 1 to ${String(max)} characters`,
      abort: true,
    })
    .refine(isWellFormed, { message: 'must be well-formed Unicode, without lone surrogates', abort: true })
    .refine((text) => !hasControlCharacters(text), 'must not contain control characters')
    .meta({ minLength: 1, maxLength: max });
}

/** An integer amount of a resource within the protocol's bounds. */
export function amount(min: number, max: number) {
  const message = `must be an integer from ${String(min)} to ${String(max)}`;
  return z.int(message).min(min, message).max(max, message);
}

/** Applies a rule to the members that a loose object has beyond its known ones. */
export function extraMembers(
  known: ReadonlySet<string>,
  max: number,
  check: (name: string, value: unknown) => string | null,
): (object: Record<string, unknown>, context: z.core.$RefinementCtx<Record<string, unknown>>) => void {
  return (object, context) => {
    const extra = Object.keys(object).filter((name) => !known.has(name));
    if (extra.length > max) {
      context.addIssue({
        code: 'custom',
        message: `has ${String(extra.length)} further members, at most ${String(max)} are allowed`,
      });
      return;
    }
    for (const name of extra) {
      const problem = check(name, object[name]);
      if (problem !== null) {
        context.addIssue({ code: 'custom', path: [name.slice(0, 64)], message: problem });
      }
    }
  };
}
