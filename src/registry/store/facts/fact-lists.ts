import { grown } from '../../../lib/typed-arrays.js';
import { type Fact, type Subject, subjectOf } from './fact.js';
import { FactNumbers } from './fact-numbers.js';

/** The address of the empty list. */
export const NO_FACTS = 0;
/** The only entry in the list of a row whose facts have no numbers: see `FactLists`. */
export const UNNUMBERED = 0;
/** How many distinct facts of rows may be numbered. */
export const MAX_FACTS = 1 << 20;

/** Words before the numbers of a list: its holders, and its length. */
const HEAD = 2;

/**
 * The facts of rows: sorted lists of numbers, side by side in one array, each with an address. Copies of a row share its list. Once the
 * maximum number of distinct facts is reached, a row with a new one keeps its facts as texts, and every query about facts has to test it
 * individually.
 */
export class FactLists {
  readonly numbers = new FactNumbers();
  /** The array of lists, with `count` at `address + 1`. Replaced when it grows. */
  words = new Uint32Array(1024);
  readonly #maxFacts: number;
  #end = HEAD;
  /** Free addresses, by the length of the list. */
  readonly #free: (number[] | undefined)[] = [];
  /** The facts of lists without numbers. */
  readonly #unnumbered = new Map<number, readonly Fact[]>();

  constructor(maxFacts = MAX_FACTS) {
    this.#maxFacts = maxFacts;
  }

  /** How many rows keep their facts as texts. */
  get unnumbered(): number {
    return this.#unnumbered.size;
  }

  /**
   * Stores the facts of a row, with one holder.
   * @param before A list that may be equal; if so, it gains a holder instead.
   * @returns The address.
   */
  put(facts: readonly Fact[], before = NO_FACTS): number {
    if (facts.length === 0) return NO_FACTS;
    const numbers = this.#numbersOf(facts);
    if (numbers === null) {
      const address = this.#write([UNNUMBERED]);
      this.#unnumbered.set(address, facts);
      return address;
    }
    if (this.#isList(before, numbers)) {
      for (const number of numbers) this.numbers.release(number);
      this.retain(before);
      return before;
    }
    return this.#write(numbers);
  }

  /** Adds a holder to a list. */
  retain(address: number): void {
    if (address !== NO_FACTS) this.words[address]! += 1;
  }

  /** Removes a holder from a list. */
  release(address: number): void {
    if (address === NO_FACTS) return;
    const { words } = this;
    words[address]! -= 1;
    if (words[address]! > 0) return;
    const count = words[address + 1]!;
    if (!this.#unnumbered.delete(address))
      for (let at = 0; at < count; at += 1) this.numbers.release(words[address + HEAD + at]!);
    (this.#free[count] ??= []).push(address);
  }

  /** The numbers of a list. */
  of(address: number): Uint32Array {
    if (address === NO_FACTS) return EMPTY;
    return this.words.subarray(address + HEAD, address + HEAD + this.words[address + 1]!);
  }

  /** The facts of a list without numbers; undefined for any other. */
  textsOf(address: number): readonly Fact[] | undefined {
    return this.#unnumbered.get(address);
  }

  /** The number of a list's fact about the subject with a number; 0 if it has none, or its facts are not numbered. */
  about(address: number, subject: number): number {
    if (address === NO_FACTS) return UNNUMBERED;
    const { words, numbers } = this;
    const from = address + HEAD;
    const to = from + words[address + 1]!;
    for (let at = from; at < to; at += 1) {
      const fact = words[at]!;
      if (numbers.subject(fact) === subject) return fact;
    }
    return UNNUMBERED;
  }

  /** A list's fact about a subject; undefined for none. */
  find(address: number, subject: Subject): Fact | undefined {
    const texts =
      this.textsOf(address) ?? Array.from(this.of(address), (number) => this.numbers.fact(number));
    return texts.find((fact) => subjectOf(fact) === subject);
  }

  /** Sorted numbers; null if there are none left. */
  #numbersOf(facts: readonly Fact[]): number[] | null {
    const { numbers } = this;
    const found: number[] = [];
    for (const fact of facts) {
      if (numbers.size >= this.#maxFacts && numbers.find(fact) === undefined) {
        for (const number of found) numbers.release(number);
        return null;
      }
      found.push(numbers.acquire(fact));
    }
    return found.sort((a, b) => a - b);
  }

  #isList(address: number, numbers: readonly number[]): boolean {
    if (address === NO_FACTS || this.words[address + 1] !== numbers.length) return false;
    return numbers.every((number, at) => this.words[address + HEAD + at] === number);
  }

  #write(numbers: readonly number[]): number {
    let address = this.#free[numbers.length]?.pop();
    if (address === undefined) {
      address = this.#end;
      this.#end += HEAD + numbers.length;
      if (this.#end > this.words.length)
        this.words = grown(this.words, new Uint32Array(Math.ceil(1.5 * this.#end)));
    }
    this.words[address] = 1;
    this.words[address + 1] = numbers.length;
    this.words.set(numbers, address + HEAD);
    return address;
  }
}

const EMPTY = new Uint32Array(0);
