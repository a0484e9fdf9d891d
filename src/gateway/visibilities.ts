import { WindowLimiter } from '../lib/limits/window-limiter.js';
import type { Visibility } from '../protocol/answers.js';
import { ProtocolError } from '../protocol/errors.js';
import { LIMITS } from '../protocol/limits.js';
import type { Registry } from '../registry/registry.js';
import type { StreamHub } from '../streams/stream-hub.js';
import { visibilityOf } from '../streams/visibility.js';

/** Tells providers who sees them: each only every few seconds, taking turns with all other reads that are made in steps. */
export class Visibilities {
  readonly #registry: Registry;
  readonly #streams: StreamHub;
  readonly #limiter = new WindowLimiter(1, LIMITS.visibilityMs);
  readonly #observe: (seconds: number) => void;

  /** @param observe Called with the duration of each answer. */
  constructor(registry: Registry, streams: StreamHub, observe: (seconds: number) => void) {
    this.#registry = registry;
    this.#streams = streams;
    this.#observe = observe;
  }

  /**
   * @param address The client address that asks.
   * @throws ProtocolError (as a rejection) `RATE_001` if the provider has just asked, `ADV_003` if too many reads are waiting.
   */
  async ask(providerId: string, address: string): Promise<Visibility> {
    const started = performance.now();
    const wait = this.#limiter.spend(providerId, this.#registry.clock.now);
    if (wait > 0) {
      const seconds = String(LIMITS.visibilityMs / 1000);
      throw new ProtocolError(
        'RATE_001',
        `${providerId} may ask for its visibility once in ${seconds} s; try again in ${String(wait)} s`,
        { retryAfterSeconds: wait },
      );
    }
    const answer = this.#registry.work.run({ key: () => address }, () =>
      visibilityOf(this.#registry, this.#streams, providerId),
    );
    if (answer === null) {
      throw new ProtocolError('ADV_003', 'too many answers are being made at the moment; try again soon', {
        unavailable: true,
        retryAfterSeconds: 5,
      });
    }
    const visibility = await answer;
    this.#observe((performance.now() - started) / 1000);
    return visibility;
  }
}
