import type { GoneReason } from '../registry/change-log.js';

/** Why providers went, for as long as any stream has it to tell. */
export class Departures {
  /** Those that went last are the last. */
  readonly #gone = new Map<string, { reason: GoneReason; seq: number }>();

  /** @param seq That of the change, which is higher than those before. */
  note(providerId: string, reason: GoneReason, seq: number): void {
    this.#gone.delete(providerId);
    this.#gone.set(providerId, { reason, seq });
  }

  /** Why a provider went, the last time it did; null where nobody remembers. */
  reasonOf(providerId: string): GoneReason | null {
    return this.#gone.get(providerId)?.reason ?? null;
  }

  /** Forgets those that every stream has told of. @param seq Up to here all have. */
  forget(seq: number): void {
    for (const [providerId, gone] of this.#gone) {
      if (gone.seq > seq) return;
      this.#gone.delete(providerId);
    }
  }
}
