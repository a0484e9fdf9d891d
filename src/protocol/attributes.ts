import * as z from 'zod';
import { LIMITS } from './limits.js';
import { boundedText, FACT_NAME } from './values.js';

/** The value of an attribute. */
export type AttributeValue = string | number | boolean;
/** Further facts about a machine, by their names, e.g. `gpu_model`. */
export type Attributes = Record<string, AttributeValue>;

export const NO_ATTRIBUTE_NAME =
  'is not an attribute name: use a lower-case letter, then up to 31 of a-z, 0-9 and _';

/** A text of 1 to 64 characters, a finite number or a boolean. */
export const attributeValue = z.union(
  // Turns -0 into 0.
  [boundedText(LIMITS.maxAttributeLength), z.number().transform((value) => value + 0), z.boolean()],
  {
    error: ({ input, errors }) =>
      typeof input === 'string'
        ? errors[0]?.[0]?.message
        : 'must be a text of 1 to 64 characters, a finite number or a boolean',
  },
);

/** Up to 32 further facts, by their names. */
export const attributesSchema = z
  .object({}, 'must be an object of attributes')
  .catchall(attributeValue)
  .superRefine((attributes, context) => {
    const names = Object.keys(attributes);
    const { maxAttributes } = LIMITS;
    if (names.length > maxAttributes) {
      const message = `has ${String(names.length)} members, at most ${String(maxAttributes)} are allowed`;
      context.addIssue({ code: 'custom', message });
    }
    const wrong = names.find((name) => !FACT_NAME.test(name));
    if (wrong !== undefined)
      context.addIssue({ code: 'custom', path: [wrong.slice(0, 64)], message: NO_ATTRIBUTE_NAME });
  })
  .transform((attributes): Attributes => attributes);
