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
  /** How many texts are held. */
  readonly size: number;
}

/** Of values of which all are known beforehand: the place in their list. */
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
 * The numbers that stand in the columns for the values of `one-of` conditions, by the place of the condition in `VALUES`.
 * Where providers write what they like, a number is held by every row and filter that has it, and 0 stands for no text.
 * Likewise the lists of facts.
 */
export class ValueNumbers {
  readonly facts: FactLists;
  readonly #numberings: readonly Numbering[] = VALUES.map((name) => {
    const { all } = CONDITIONS[name];
    return all === null ? new Interner() : fixedNumbering(all);
  });

  /** @param maxFacts Different facts that rows may have numbers for, if not `MAX_FACTS`. */
  constructor(maxFacts?: number) {
    this.facts = new FactLists(maxFacts);
  }

  /** Another one whenever a text has got a number, or lost it. */
  get version(): number {
    return this.#numberings.reduce((sum, { version }) => sum + version, this.facts.numbers.version);
  }

  /** How many texts are held. */
  get size(): number {
    return this.#numberings.reduce((sum, { size }) => sum + size, this.facts.numbers.size);
  }

  /** The number of a value; undefined when nobody can have it. */
  find(place: number, value: string): number | undefined {
    return this.#numberings[place]!.find(value);
  }

  /** The value that a number stands for, while somebody holds it; null for none. */
  text(place: number, number: number): string | null {
    return this.#numberings[place]!.text(number);
  }

  /** The number of a value, held once more. */
  acquire(place: number, value: string | null): number {
    return this.#numberings[place]!.acquire(value);
  }

  /** Holds the numbers of a row once more. */
  retainRow({ values, facts }: AttributeColumns, index: number): void {
    this.#numberings.forEach((numbering, place) => {
      numbering.retain(values[place]![index]!);
    });
    this.facts.retain(facts[index]!);
  }

  /** Lets go of the numbers of a row. */
  releaseRow({ values, facts }: AttributeColumns, index: number): void {
    this.#numberings.forEach((numbering, place) => {
      numbering.release(values[place]![index]!);
    });
    this.facts.release(facts[index]!);
  }

  /** Lets go of a number. */
  release(place: number, number: number): void {
    this.#numberings[place]!.release(number);
  }
}
