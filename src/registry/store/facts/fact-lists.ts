import { grown } from '../../../lib/typed-arrays.js';
import { type Fact, type Subject, subjectOf } from './fact.js';
import { FactNumbers } from './fact-numbers.js';

/** The address of the list of who has no facts. */
export const NO_FACTS = 0;
/** Stands alone in the list of a row whose facts have no numbers: see `FactLists`. */
export const UNNUMBERED = 0;
/** Different facts that rows may have numbers for. */
export const MAX_FACTS = 1 << 20;

/** Words before the numbers of a list: how often it is held, and how many numbers it has. */
const HEAD = 2;

/**
 * The facts of rows: lists of numbers, in order, side by side in one array, each with an address. Rows that are copies of
 * each other share a list. Once there are as many different facts as may have numbers, a row that says something new keeps its
 * facts as texts, and has to be looked at itself by whoever asks for any.
 */
export class FactLists {
  readonly numbers = new FactNumbers();
  /** As lists lie in it, `count` at `address + 1`. Another array once it has grown. */
  words = new Uint32Array(1024);
  readonly #maxFacts: number;
  #end = HEAD;
  /** Free addresses, by the length of the list. */
  readonly #free: (number[] | undefined)[] = [];
  /** The facts of lists that have no numbers. */
  readonly #unnumbered = new Map<number, readonly Fact[]>();

  constructor(maxFacts = MAX_FACTS) {
    this.#maxFacts = maxFacts;
  }

  /** How many rows keep their facts as texts. */
  get unnumbered(): number {
    return this.#unnumbered.size;
  }

  /**
   * Keeps the facts of a row, held once.
   * @param before A list that may be the same; then it is held once more.
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

  /** Holds a list once more. */
  retain(address: number): void {
    if (address !== NO_FACTS) this.words[address]! += 1;
  }

  /** Lets go of a list. */
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

  /** The number of what a list says about the subject of a number; 0 for nothing, or where its facts have no numbers. */
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

  /** What a list says about a subject; undefined for nothing. */
  find(address: number, subject: Subject): Fact | undefined {
    const texts =
      this.textsOf(address) ?? Array.from(this.of(address), (number) => this.numbers.fact(number));
    return texts.find((fact) => subjectOf(fact) === subject);
  }

  /** Sorted; null when there is no room for them. */
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
