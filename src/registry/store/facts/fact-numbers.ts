import { Interner } from '../../../lib/interner.js';
import { type Fact, numberIn, type Subject, subjectOf } from './fact.js';

/**
 * Small, reference-counted numbers for facts and for their subjects. A number is reused once nobody holds it. 0 is never assigned.
 */
export class FactNumbers {
  readonly #facts = new Interner();
  readonly #subjects = new Interner();
  /** By the number of a fact. */
  readonly #subjectOf: number[] = [0];
  readonly #values: number[] = [Number.NaN];

  /** How many distinct facts have a number. */
  get size(): number {
    return this.#facts.size;
  }

  /** Changes whenever a fact gains or loses its number. */
  get version(): number {
    return this.#facts.version + this.#subjects.version;
  }

  /** The number of a fact; adds a holder. */
  acquire(fact: Fact): number {
    const isKnown = this.#facts.find(fact) !== undefined;
    const number = this.#facts.acquire(fact);
    if (isKnown) return number;
    this.#subjectOf[number] = this.#subjects.acquire(subjectOf(fact));
    this.#values[number] = numberIn(fact);
    return number;
  }

  /** Adds a holder to a fact. */
  retain(number: number): void {
    this.#facts.retain(number);
  }

  /** Removes a holder from a fact. */
  release(number: number): void {
    if (this.#facts.release(number)) this.#subjects.release(this.#subjectOf[number]!);
  }

  /** The number of a fact; undefined if nobody holds it. */
  find(fact: Fact): number | undefined {
    return this.#facts.find(fact);
  }

  /** The fact of a number in use. */
  fact(number: number): Fact {
    return this.#facts.text(number)!;
  }

  /** The number of a subject; adds a holder. */
  acquireSubject(subject: Subject): number {
    return this.#subjects.acquire(subject);
  }

  releaseSubject(subject: number): void {
    this.#subjects.release(subject);
  }

  /** The number of a subject; undefined if there is no fact about it. */
  findSubject(subject: Subject): number | undefined {
    return this.#subjects.find(subject);
  }

  /** The number of a fact's subject. */
  subject(number: number): number {
    return this.#subjectOf[number]!;
  }

  /** The numeric value of a fact; NaN if it has none. */
  value(number: number): number {
    return this.#values[number]!;
  }
}
