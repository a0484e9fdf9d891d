import type { GoneReason } from '../registry/change-log.js';

/** Why providers were removed, for as long as any stream still has to report it. */
export class Departures {
  /** In order of removal. */
  readonly #gone = new Map<string, { reason: GoneReason; seq: number }>();

  /** @param seq The position of the removal, higher than all before. */
  note(providerId: string, reason: GoneReason, seq: number): void {
    this.#gone.delete(providerId);
    this.#gone.set(providerId, { reason, seq });
  }

  /** Why a provider was last removed; null if no longer known. */
  reasonOf(providerId: string): GoneReason | null {
    return this.#gone.get(providerId)?.reason ?? null;
  }

  /** Forgets removals that all streams have reported. @param seq Up to here, all have. */
  forget(seq: number): void {
    for (const [providerId, gone] of this.#gone) {
      if (gone.seq > seq) return;
      this.#gone.delete(providerId);
    }
  }
}
