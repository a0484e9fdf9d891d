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
  /** All that were proposed: the first may have been stored although the hub that proposed it saw it fail. */
  readonly #ends = new Map<string, End[]>();
  readonly #toleranceMs: number;
  readonly #fail: (violation: Error) => void;

  /** @param toleranceMs Hubs count time in ticks. */
  constructor(toleranceMs: number, fail: (violation: Error) => void) {
    this.#toleranceMs = toleranceMs;
    this.#fail = fail;
  }

  /** The hub of a session proposes its end. */
  proposed({ hub, token }: Session, end: End): void {
    const key = `${hub}/${token}`;
    this.#ends.set(key, [...(this.#ends.get(key) ?? []), end]);
  }

  /** Another hub is told. @param silentMs How long the provider was silent, as far as that one sees now. */
  told({ hub, token }: Session, name: string, silentMs: number): void {
    const ends = this.#ends.get(`${hub}/${token}`);
    if (ends === undefined) return;
    const isOneOfThem = ends.some((end) => {
      const isEarly = silentMs > end.silentMs + this.#toleranceMs;
      const isLate = end.isCounted && silentMs < end.silentMs - this.#toleranceMs;
      return !isEarly && !isLate;
    });
    if (isOneOfThem) return;
    const proposed = ends.map((end) => end.silentMs).join(' or ');
    this.#fail(new Violation(`a silence of ${proposed} ms at ${hub} is one of ${silentMs} ms at ${name}`));
  }
}
