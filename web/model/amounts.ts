import type { Amounts, Filter } from '../../src/client/index.js';

/** The amounts to compute prices for: those in the filter, 1 where it names none. */
export function amountsOf({ cpu = 1, memory = 1, storage = 1 }: Filter): Amounts {
  return { cpu, memory, storage };
}
