import fc from '../support/properties.js';
import { type Content, content } from '../support/data/arbitraries.js';

/** Names that libraries look for on objects: a provider may use them all for prices of its own. */
const MEANINGFUL = [
  'constructor',
  'toJSON',
  'toString',
  'valueOf',
  'then',
  'length',
  'prototype',
  'hasOwnProperty',
];

const oddPrices = fc
  .uniqueArray(fc.constantFrom(...MEANINGFUL), { minLength: 1, maxLength: 6 })
  .chain((names) =>
    fc
      .array(fc.constantFrom<(number | string)[]>(0, 1, -1, 1e300, '', 'x'), {
        minLength: names.length,
        maxLength: names.length,
      })
      .map((values) => Object.fromEntries(names.map((name, index) => [name, values[index]]))),
  );

/** What a provider may say of itself, names and values that only look harmless included. */
export const oddContent: fc.Arbitrary<Content> = fc.oneof(
  { weight: 2, arbitrary: content },
  { weight: 1, arbitrary: fc.tuple(content, oddPrices).map(([from, pricing]) => ({ ...from, pricing })) },
);
