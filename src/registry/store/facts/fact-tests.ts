import type { Filter } from '../../../protocol/filters/filter.js';
import {
  attributeSubject,
  type Fact,
  factOf,
  numberIn,
  resourceSubject,
  type Subject,
  subjectOf,
} from './fact.js';
import { type FactLists, NO_FACTS } from './fact-lists.js';
import type { FactNumbers } from './fact-numbers.js';

/** One of some facts. */
export interface OneOfFacts {
  readonly kind: 'one-of';
  readonly facts: readonly Fact[];
}

/** A number about a subject, from `least` to `most`. */
export interface FactRange {
  readonly kind: 'range';
  readonly subject: Subject;
  readonly least: number;
  readonly most: number;
}

/** What has to be so of a row's facts. */
export type AskedFact = OneOfFacts | FactRange;

/** What a filter asks of facts, one after the other. Nothing is asked by a resource of at least 0, which everybody has. */
export function askedFacts({ min = {}, attributes = {} }: Filter): AskedFact[] {
  const asked: AskedFact[] = [];
  for (const [name, least] of Object.entries(min)) {
    if (least > 0) asked.push({ kind: 'range', subject: resourceSubject(name), least, most: Infinity });
  }
  for (const [name, wanted] of Object.entries(attributes)) {
    const subject = attributeSubject(name);
    asked.push(
      Array.isArray(wanted)
        ? { kind: 'one-of', facts: wanted.map((value) => factOf(subject, value)) }
        : { kind: 'range', subject, least: wanted.min ?? -Infinity, most: wanted.max ?? Infinity },
    );
  }
  return asked;
}

/** The same in numbers; -1 for what nobody has. */
type NumberedTest =
  | { readonly asked: OneOfFacts; readonly accepted: readonly number[] }
  | { readonly asked: FactRange; readonly subject: number };

/** What a filter asks of facts, made ready to be asked of many rows. As good as its numbers are: see `Predicate`. */
export class FactTests {
  readonly tests: readonly NumberedTest[];
  readonly #lists: FactLists;

  constructor(filter: Filter, lists: FactLists) {
    const { numbers } = lists;
    this.#lists = lists;
    this.tests = askedFacts(filter).map((asked): NumberedTest =>
      asked.kind === 'range'
        ? { asked, subject: numbers.findSubject(asked.subject) ?? -1 }
        : { asked, accepted: asked.facts.flatMap((fact) => numbers.find(fact) ?? []) },
    );
  }

  /** Whether a row with the facts at this address meets all that is asked of them. */
  matches(address: number): boolean {
    if (address === NO_FACTS) return this.tests.length === 0;
    const texts = this.#lists.unnumbered === 0 ? undefined : this.#lists.textsOf(address);
    if (texts !== undefined) return this.tests.every(({ asked }) => texts.some((fact) => isMet(asked, fact)));
    const { words, numbers } = this.#lists;
    for (const test of this.tests) if (!isMetBy(test, words, address, numbers)) return false;
    return true;
  }
}

function isMetBy(test: NumberedTest, words: Uint32Array, address: number, numbers: FactNumbers): boolean {
  const from = address + 2;
  const to = from + words[address + 1]!;
  if ('accepted' in test) {
    for (let at = from; at < to; at += 1) if (test.accepted.includes(words[at]!)) return true;
    return false;
  }
  const { subject, asked } = test;
  for (let at = from; at < to; at += 1) {
    const fact = words[at]!;
    if (numbers.subject(fact) !== subject) continue;
    const value = numbers.value(fact);
    // A text is NaN, and in no range.
    if (value >= asked.least && value <= asked.most) return true;
  }
  return false;
}

function isMet(asked: AskedFact, fact: Fact): boolean {
  if (asked.kind === 'one-of') return asked.facts.includes(fact);
  if (subjectOf(fact) !== asked.subject) return false;
  const value = numberIn(fact);
  return value >= asked.least && value <= asked.most;
}
