import type { ChangeLog } from '../../src/registry/change-log.js';
import { CPU } from '../../src/registry/store/columns.js';
import type { SimulatedHub } from './hub.js';
import { listOf, type Sight, Violation } from './reference.js';

/** A requestor that goes from hub to hub, and resumes where it was. */
export class SimulatedWatcher {
  /** What it knows, by provider; null before the first list. */
  #held: Map<string, Sight> | null = null;
  #epoch = '';
  #seq = 0;
  readonly #covers: (changes: ChangeLog, seq: number) => boolean;
  readonly counts = { resumed: 0, refused: 0 };

  constructor(covers: (changes: ChangeLog, seq: number) => boolean) {
    this.#covers = covers;
  }

  /** @throws Violation when a resume that was granted misses something. */
  visit(hub: SimulatedHub): void {
    const { store, changes } = hub.registry!;
    const sightOf = (slot: number): Sight => [
      store.ids[slot]!,
      store.attributes.amounts[CPU]![slot]!,
      store.isLive(slot),
    ];
    const held = this.#held;
    if (held !== null && changes.epoch !== this.#epoch) {
      // Positions of another store mean nothing.
      this.counts.refused += 1;
    } else if (held !== null) {
      // A hub that is not as far waits, or gives a new list.
      if (!changes.hasReached(this.#seq)) return;
      if (this.#covers(changes, this.#seq)) {
        changes.since(this.#seq, ({ providerId, beforeRow, slot }) => {
          if (held.has(providerId) !== (beforeRow !== null))
            throw new Violation(`a resume at ${hub.name} says something else of before`);
          if (slot === null) held.delete(providerId);
          else held.set(providerId, sightOf(slot));
          return true;
        });
        this.#seq = changes.seq;
        if (listOf([...held.values()]) !== hub.list)
          throw new Violation(`a resume at ${hub.name} is not exact`);
        this.counts.resumed += 1;
        return;
      }
      this.counts.refused += 1;
    }
    this.#held = new Map(
      store.ids.flatMap((id, slot) => (id === undefined ? [] : [[id, sightOf(slot)] as const])),
    );
    this.#epoch = changes.epoch;
    this.#seq = changes.seq;
  }
}
