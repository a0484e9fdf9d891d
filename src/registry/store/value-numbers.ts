import { Interner } from '../../lib/interner.js';
import { CONDITIONS } from '../../protocol/filters/conditions.js';
import { type AttributeColumns, VALUES } from './columns.js';
import { FactLists } from './facts/fact-lists.js';

interface Numbering {
  find(value: string): number | undefined;
  text(number: number): string | null;
  acquire(value: string | null): number;
  retain(number: number): void;
  release(number: number): unknown;
  readonly version: number;
  /** How many texts have a number. */
  readonly size: number;
}

/** For a fixed set of values: the index in their list. */
function fixedNumbering(all: readonly string[]): Numbering {
  const numbers = new Map(all.map((value, number) => [value, number]));
  const find = (value: string): number | undefined => numbers.get(value);
  return {
    find,
    text: (number) => all[number]!,
    acquire: (value) => numbers.get(value!)!,
    retain: () => undefined,
    release: () => undefined,
    version: 0,
    size: 0,
  };
}

/**
 * The numbers that represent values of `one-of` conditions in the columns, by the condition's index in `VALUES`. Free-form values are
 * interned: every row and filter that has one holds its number, and 0 means none. Also owns the lists of facts.
 */
export class ValueNumbers {
  readonly facts: FactLists;
  readonly #numberings: readonly Numbering[] = VALUES.map((name) => {
    const { all } = CONDITIONS[name];
    return all === null ? new Interner() : fixedNumbering(all);
  });

  /** @param maxFacts How many distinct facts of rows may be numbered, if not `MAX_FACTS`. */
  constructor(maxFacts?: number) {
    this.facts = new FactLists(maxFacts);
  }

  /** Changes whenever a text gains or loses its number. */
  get version(): number {
    return this.#numberings.reduce((sum, { version }) => sum + version, this.facts.numbers.version);
  }

  /** How many texts have a number. */
  get size(): number {
    return this.#numberings.reduce((sum, { size }) => sum + size, this.facts.numbers.size);
  }

  /** The number of a value; undefined if no row can have it. */
  find(place: number, value: string): number | undefined {
    return this.#numberings[place]!.find(value);
  }

  /** The value of a number in use; null for none. */
  text(place: number, number: number): string | null {
    return this.#numberings[place]!.text(number);
  }

  /** The number of a value; adds a holder. */
  acquire(place: number, value: string | null): number {
    return this.#numberings[place]!.acquire(value);
  }

  /** Adds a holder to each of a row's numbers. */
  retainRow({ values, facts }: AttributeColumns, index: number): void {
    this.#numberings.forEach((numbering, place) => {
      numbering.retain(values[place]![index]!);
    });
    this.facts.retain(facts[index]!);
  }

  /** Removes a holder from each of a row's numbers. */
  releaseRow({ values, facts }: AttributeColumns, index: number): void {
    this.#numberings.forEach((numbering, place) => {
      numbering.release(values[place]![index]!);
    });
    this.facts.release(facts[index]!);
  }

  /** Removes a holder from a number. */
  release(place: number, number: number): void {
    this.#numberings[place]!.release(number);
  }
}
