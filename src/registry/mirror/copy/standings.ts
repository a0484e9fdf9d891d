import type { Standing } from '../../local-copy.js';
import { STANDING_NUMBERS, type StandingBatch, type StandingRow } from '../messages.js';

export function toStandingRow(standing: Standing): StandingRow {
  const { providerId, revision, isAdvertised, needsSession, seenAt, session } = standing;
  return [
    providerId,
    revision,
    isAdvertised ? 1 : 0,
    needsSession ? 1 : 0,
    seenAt,
    session?.hub ?? null,
    session?.token ?? null,
    session?.from ?? null,
  ];
}

/** Collects rows of standings into batches. */
export class StandingBatcher {
  #ids: string[] = [];
  readonly #hubs = new Map<string, number>();
  #numbers: number[] = [];
  #froms: (string | null)[] = [];

  /** @param row In the order of `STANDING_COLUMNS`. @returns How many there are. */
  add(row: readonly unknown[]): number {
    const [id, revision, isAdvertised, needsSession, seenAt, hub, token, from] =
      row as unknown as StandingRow;
    this.#ids.push(id);
    this.#froms.push(from);
    this.#numbers.push(revision, isAdvertised, needsSession, seenAt, this.#numberOf(hub), token ?? 0);
    return this.#ids.length;
  }

  /** Returns the batch and starts a new one. */
  take(): StandingBatch {
    const batch = {
      ids: this.#ids,
      hubs: [...this.#hubs.keys()],
      numbers: Float64Array.from(this.#numbers),
      froms: this.#froms,
    };
    this.#ids = [];
    this.#numbers = [];
    this.#froms = [];
    this.#hubs.clear();
    return batch;
  }

  #numberOf(hub: string | null): number {
    if (hub === null) return -1;
    const known = this.#hubs.get(hub);
    if (known !== undefined) return known;
    this.#hubs.set(hub, this.#hubs.size);
    return this.#hubs.size - 1;
  }
}

/** The standings in batches. */
export function* standingsIn(batches: readonly StandingBatch[]): Generator<Standing, void, undefined> {
  for (const { ids, hubs, numbers, froms } of batches) {
    for (const [index, providerId] of ids.entries()) {
      let at = index * STANDING_NUMBERS;
      const revision = numbers[at++]!;
      const isAdvertised = numbers[at++] === 1;
      const needsSession = numbers[at++] === 1;
      const seenAt = numbers[at++]!;
      const hub = hubs[numbers[at++]!];
      const session = hub === undefined ? null : { hub, token: numbers[at]!, from: froms[index]! };
      yield { providerId, revision, isAdvertised, needsSession, seenAt, session };
    }
  }
}
