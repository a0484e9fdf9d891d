import type { Session } from '../../src/registry/entry.js';
import { Violation } from './reference.js';

interface End {
  /** How long the provider was silent, as far as the hub of its session saw. */
  silentMs: number;
  /** Whether all of that counts, because nothing was wrong with the hub meanwhile. */
  isCounted: boolean;
}

/** How sessions ended: hubs have to agree when whoever has left was last heard, however far apart their clocks are. */
export class Ends {
  readonly #ends = new Map<string, End>();
  readonly #toleranceMs: number;
  readonly #fail: (violation: Error) => void;

  /** @param toleranceMs Hubs count time in ticks. */
  constructor(toleranceMs: number, fail: (violation: Error) => void) {
    this.#toleranceMs = toleranceMs;
    this.#fail = fail;
  }

  /** The hub of a session proposes its end. */
  proposed({ hub, token }: Session, end: End): void {
    this.#ends.set(`${hub}/${token}`, end);
  }

  /** Another hub is told. @param silentMs How long the provider was silent, as far as that one sees now. */
  told({ hub, token }: Session, name: string, silentMs: number): void {
    const end = this.#ends.get(`${hub}/${token}`);
    if (end === undefined) return;
    const isEarly = silentMs > end.silentMs + this.#toleranceMs;
    const isLate = end.isCounted && silentMs < end.silentMs - this.#toleranceMs;
    if (isEarly || isLate)
      this.#fail(
        new Violation(`a silence of ${end.silentMs} ms at ${hub} is one of ${silentMs} ms at ${name}`),
      );
  }
}
