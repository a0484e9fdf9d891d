import { Interner } from '../../../lib/interner.js';
import { type Fact, numberIn, type Subject, subjectOf } from './fact.js';

/**
 * Small numbers for facts and for what they are about. Whoever uses one holds it: a number means something else once nobody
 * does. 0 is nobody's.
 */
export class FactNumbers {
  readonly #facts = new Interner();
  readonly #subjects = new Interner();
  /** By the number of a fact. */
  readonly #subjectOf: number[] = [0];
  readonly #values: number[] = [Number.NaN];

  /** How many different facts are held. */
  get size(): number {
    return this.#facts.size;
  }

  /** Another one whenever a fact has got a number, or lost it. */
  get version(): number {
    return this.#facts.version + this.#subjects.version;
  }

  /** The number of a fact, held once more. */
  acquire(fact: Fact): number {
    const isKnown = this.#facts.find(fact) !== undefined;
    const number = this.#facts.acquire(fact);
    if (isKnown) return number;
    this.#subjectOf[number] = this.#subjects.acquire(subjectOf(fact));
    this.#values[number] = numberIn(fact);
    return number;
  }

  /** Holds a fact once more. */
  retain(number: number): void {
    this.#facts.retain(number);
  }

  /** Lets go of a fact. */
  release(number: number): void {
    if (this.#facts.release(number)) this.#subjects.release(this.#subjectOf[number]!);
  }

  /** The number of a fact; undefined when nobody has it. */
  find(fact: Fact): number | undefined {
    return this.#facts.find(fact);
  }

  /** The fact of a number that somebody holds. */
  fact(number: number): Fact {
    return this.#facts.text(number)!;
  }

  /** The number of what facts are about, held once more. */
  acquireSubject(subject: Subject): number {
    return this.#subjects.acquire(subject);
  }

  releaseSubject(subject: number): void {
    this.#subjects.release(subject);
  }

  /** The number of what facts are about; undefined when there is no such fact. */
  findSubject(subject: Subject): number | undefined {
    return this.#subjects.find(subject);
  }

  /** The number of what a fact is about. */
  subject(number: number): number {
    return this.#subjectOf[number]!;
  }

  /** The number that a fact says; NaN where it says none. */
  value(number: number): number {
    return this.#values[number]!;
  }
}
