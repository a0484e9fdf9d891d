import type { Amounts, Filter } from '../../src/client/index.js';

/** The amounts that prices are worked out for: those asked for, 1 where none is. */
export function amountsOf({ cpu = 1, memory = 1, storage = 1 }: Filter): Amounts {
  return { cpu, memory, storage };
}
