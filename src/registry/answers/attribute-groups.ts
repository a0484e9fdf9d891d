import { grown } from '../../lib/typed-arrays.js';
import type { MarketBucket } from '../../protocol/answers.js';
import type { AttributeColumns } from '../store/columns.js';
import { attributeSubject, type Fact, type Subject, subjectOf, valueIn } from '../store/facts/fact.js';
import { type FactLists, UNNUMBERED } from '../store/facts/fact-lists.js';
import type { Grouping } from './buckets.js';

/** The group of those without the attribute. */
const WITHOUT = 0;

/**
 * Groups rows by the value of an attribute. Groups have numbers of their own, because some rows keep their facts as texts, and facts may
 * gain or lose their numbers while the answer is made.
 */
export class AttributeGroups implements Grouping {
  readonly #subject: Subject;
  /** The number of the attribute; -1 if no row has it. Rows that come later do not count. */
  readonly #subjectNumber: number;
  readonly #lists: FactLists;
  /** The value of each group, by number; none for `WITHOUT`. */
  readonly #facts: (Fact | null)[] = [null];
  readonly #groups = new Map<Fact, number>();
  /** The group of each numbered fact; `WITHOUT` if not known yet. */
  #byNumber = new Uint32Array(64);

  constructor(attribute: string, lists: FactLists) {
    this.#subject = attributeSubject(attribute);
    this.#subjectNumber = lists.numbers.findSubject(this.#subject) ?? -1;
    this.#lists = lists;
  }

  number({ facts }: AttributeColumns, rows: readonly number[], groups: Int32Array): void {
    for (let at = 0; at < rows.length; at += 1) groups[at] = this.#groupAt(facts[rows[at]!]!);
  }

  keyOf(group: number): MarketBucket['key'] {
    const fact = this.#facts[group] ?? null;
    return fact === null ? null : valueIn(fact);
  }

  /** The group of a row with the facts at this address. */
  #groupAt(address: number): number {
    const lists = this.#lists;
    const texts = lists.unnumbered === 0 ? undefined : lists.textsOf(address);
    if (texts !== undefined) {
      const fact = texts.find((one) => subjectOf(one) === this.#subject);
      return fact === undefined ? WITHOUT : this.#groupOf(fact);
    }
    const number = lists.about(address, this.#subjectNumber);
    if (number === UNNUMBERED) return WITHOUT;
    const known = number < this.#byNumber.length ? this.#byNumber[number]! : WITHOUT;
    return known === WITHOUT ? this.#file(number) : known;
  }

  /** Rows hold their facts, and the change log those of changed rows, so a number means the same throughout. */
  #file(number: number): number {
    const group = this.#groupOf(this.#lists.numbers.fact(number));
    if (number >= this.#byNumber.length) this.#byNumber = grown(this.#byNumber, new Uint32Array(2 * number));
    this.#byNumber[number] = group;
    return group;
  }

  #groupOf(fact: Fact): number {
    const known = this.#groups.get(fact);
    if (known !== undefined) return known;
    const group = this.#facts.push(fact) - 1;
    this.#groups.set(fact, group);
    return group;
  }
}
