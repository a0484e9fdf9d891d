import type { Work } from '../../lib/turns/work-queue.js';
import type {
  Explanation,
  Market,
  MarketKey,
  ProviderExplanation,
  Standing,
} from '../../protocol/answers.js';
import type { Filter } from '../../protocol/filters/filter.js';
import type { ChangeLog } from '../change-log.js';
import type { Store } from '../store/store.js';
import { explain, explainProvider } from './explain.js';
import { market } from './market.js';
import { standing } from './standing.js';

/**
 * Answers that take all advertisements into account, each made in steps and true as of the first step. All throw ProtocolError `ADV_003`
 * if too much changes meanwhile.
 */
export class Answers {
  readonly #store: Store;
  readonly #changes: ChangeLog;

  constructor(store: Store, changes: ChangeLog) {
    this.#store = store;
    this.#changes = changes;
  }

  /** Why a list is as it is. */
  explain(filter: Filter): Work<Explanation> {
    return explain(this.#store, this.#changes, filter);
  }

  /**
   * Which conditions one provider misses, and its rank in a list by price.
   * @throws ProtocolError `ADV_004` if there is no such advertisement.
   */
  explainProvider(filter: Filter, providerId: string): Work<ProviderExplanation> {
    return explainProvider(this.#store, this.#changes, filter, providerId);
  }

  /**
   * What the matches of a filter offer and ask.
   * @param by What is to be told apart; null for the total alone.
   */
  market(filter: Filter, by: MarketKey | null): Work<Market> {
    return market(this.#store, this.#changes, filter, by);
  }

  /** How the provider in a slot ranks by price in its country; null if it lacks the prices. */
  standing(slot: number): Work<Standing | null> {
    return standing(this.#store, this.#changes, slot);
  }
}
