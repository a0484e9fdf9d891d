import { sortByText } from '../../../lib/radix-sort.js';
import { IdIndex, type OrderedSlots } from '../id-index.js';
import { type FactLists, UNNUMBERED } from './fact-lists.js';
import type { FactTests } from './fact-tests.js';

/** The most rows to sort for one query. For more, scanning all rows is as fast. */
const MAX_GATHERED = 2048;
/** The most distinct numbers of one subject to search for those in a range. */
const MAX_NUMBERS = 4096;
/** If more than one row in this many has a fact, scanning all rows is as fast. */
const WORTHWHILE = 4;

const NONE: ReadonlySet<number> = new Set();

/** Maps facts to the rows that have them, in id order. */
export class FactIndex {
  readonly #ids: readonly (string | undefined)[];
  readonly #lists: FactLists;
  /** By the number of a fact: a single slot, or an index of several. */
  readonly #slots = new Map<number, number | IdIndex>();
  /** By the number of a subject: its numeric facts. */
  readonly #numeric = new Map<number, Set<number>>();

  /** @param ids The id of each slot, shared with the store. */
  constructor(ids: readonly (string | undefined)[], lists: FactLists) {
    this.#ids = ids;
    this.#lists = lists;
  }

  /** Updates a slot's facts, given the addresses of the old and the new list. */
  move(slot: number, before: number, after: number): void {
    if (before === after) return;
    const old = this.#lists.of(before);
    const present = this.#lists.of(after);
    for (const fact of old) if (!present.includes(fact)) this.#remove(fact, slot);
    for (const fact of present) if (!old.includes(fact)) this.#insert(fact, slot);
  }

  /**
   * Replaces the content with these rows.
   * @param slots In the order of their ids.
   * @param addresses The list of each slot.
   */
  load(slots: OrderedSlots, addresses: Uint32Array): void {
    const bySlot = new Map<number, number[]>();
    slots.scan(null, (some, from) => {
      for (let at = from; at < some.length; at += 1) {
        const slot = some[at]!;
        for (const fact of this.#lists.of(addresses[slot]!)) {
          const known = bySlot.get(fact);
          if (known === undefined) bySlot.set(fact, [slot]);
          else known.push(slot);
        }
      }
      return true;
    });
    this.#slots.clear();
    this.#numeric.clear();
    for (const [fact, inOrder] of bySlot) {
      if (inOrder.length === 1) this.#slots.set(fact, inOrder[0]!);
      else {
        const index = new IdIndex(this.#ids);
        index.loadOrdered(inOrder);
        this.#slots.set(fact, index);
      }
      this.#fileNumber(fact);
    }
  }

  /**
   * Candidate rows that include all matches, in id order; null if scanning all rows takes no longer.
   * @param rows How many rows there are.
   */
  narrow({ tests }: FactTests, rows: number): OrderedSlots | null {
    let best: readonly number[] | null = null;
    let least = rows / WORTHWHILE;
    for (const { accepted, subject, least: from, most: to } of tests) {
      const facts = accepted ?? this.#inRange(subject, from, to);
      if (facts === null) continue;
      const size = facts.reduce((sum, fact) => sum + this.#sizeOf(fact), 0);
      if (size >= least) continue;
      best = facts;
      least = size;
    }
    return best === null ? null : this.#union([...best, UNNUMBERED]);
  }

  #union(facts: readonly number[]): OrderedSlots | null {
    const found = facts.filter((fact) => this.#slots.has(fact));
    const [first] = found;
    if (found.length === 1) {
      const slots = this.#slots.get(first!)!;
      return typeof slots === 'number' ? new FewSlots(this.#ids, [slots]) : slots;
    }
    if (found.reduce((sum, fact) => sum + this.#sizeOf(fact), 0) > MAX_GATHERED) return null;
    const all = new Set<number>();
    for (const fact of found) {
      const slots = this.#slots.get(fact)!;
      if (typeof slots === 'number') all.add(slots);
      else
        slots.scan(null, (some) => {
          for (const slot of some) all.add(slot);
          return true;
        });
    }
    const order = Uint32Array.from(all);
    sortByText(this.#ids, order);
    return new FewSlots(this.#ids, Array.from(order));
  }

  /** A subject's numeric facts in a range; null if there are too many to search. */
  #inRange(subject: number, least: number, most: number): number[] | null {
    const facts = this.#numeric.get(subject) ?? NONE;
    if (facts.size > MAX_NUMBERS) return null;
    const { numbers } = this.#lists;
    return [...facts].filter((fact) => numbers.value(fact) >= least && numbers.value(fact) <= most);
  }

  #sizeOf(fact: number): number {
    const slots = this.#slots.get(fact);
    if (slots === undefined) return 0;
    return typeof slots === 'number' ? 1 : slots.size;
  }

  #insert(fact: number, slot: number): void {
    const present = this.#slots.get(fact);
    if (present === undefined) {
      this.#slots.set(fact, slot);
      this.#fileNumber(fact);
      return;
    }
    if (typeof present !== 'number') {
      present.insert(slot);
      return;
    }
    const index = new IdIndex(this.#ids);
    index.load([present, slot]);
    this.#slots.set(fact, index);
  }

  #remove(fact: number, slot: number): void {
    const present = this.#slots.get(fact)!;
    if (typeof present !== 'number') {
      present.remove(slot);
      if (present.size > 0) return;
    }
    this.#slots.delete(fact);
    const subject = this.#lists.numbers.subject(fact);
    const facts = this.#numeric.get(subject);
    if (facts?.delete(fact) === true && facts.size === 0) this.#numeric.delete(subject);
  }

  #fileNumber(fact: number): void {
    const { numbers } = this.#lists;
    if (Number.isNaN(numbers.value(fact))) return;
    const subject = numbers.subject(fact);
    const facts = this.#numeric.get(subject);
    if (facts === undefined) this.#numeric.set(subject, new Set([fact]));
    else facts.add(fact);
  }
}

/** A few slots in id order. */
class FewSlots implements OrderedSlots {
  readonly #ids: readonly (string | undefined)[];
  readonly #slots: readonly number[];

  constructor(ids: readonly (string | undefined)[], slots: readonly number[]) {
    this.#ids = ids;
    this.#slots = slots;
  }

  get size(): number {
    return this.#slots.length;
  }

  scan(after: string | null, visit: (slots: readonly number[], from: number) => boolean): void {
    const from = after === null ? 0 : this.#slots.findIndex((slot) => this.#ids[slot]! > after);
    if (from >= 0 && from < this.#slots.length) visit(this.#slots, from);
  }
}
