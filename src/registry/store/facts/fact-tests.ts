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

/** A requirement on a row's facts. */
export type AskedFact = OneOfFacts | FactRange;

/** A filter's requirements on facts. A resource of at least 0 requires nothing. */
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

const NONE: ReadonlySet<number> = new Set();

/** The same with numbers. All have the same shape, which keeps the loop over them fast. */
interface NumberedTest {
  readonly asked: AskedFact;
  /** One of these; null for a range. */
  readonly accepted: readonly number[] | null;
  /** The same as a set, if there are many. */
  readonly many: ReadonlySet<number>;
  /** The subject of a range; -1 if nobody has it. */
  readonly subject: number;
  readonly least: number;
  readonly most: number;
}

/** A filter's requirements on facts, compiled for testing many rows. Valid as long as its numbers are: see `Predicate`. */
export class FactTests {
  readonly tests: readonly NumberedTest[];
  readonly #lists: FactLists;

  constructor(filter: Filter, lists: FactLists) {
    const { numbers } = lists;
    this.#lists = lists;
    this.tests = askedFacts(filter).map((asked): NumberedTest => {
      if (asked.kind === 'range') {
        const { least, most } = asked;
        return {
          asked,
          accepted: null,
          many: NONE,
          subject: numbers.findSubject(asked.subject) ?? -1,
          least,
          most,
        };
      }
      const accepted = asked.facts.flatMap((fact) => numbers.find(fact) ?? []);
      const many = accepted.length > 1 ? new Set(accepted) : NONE;
      return { asked, accepted, many, subject: -1, least: Infinity, most: -Infinity };
    });
  }

  /** Whether a row with the facts at this address meets all requirements. */
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
  const { accepted, many, subject, least, most } = test;
  if (accepted === null) {
    for (let at = from; at < to; at += 1) {
      const fact = words[at]!;
      if (numbers.subject(fact) !== subject) continue;
      const value = numbers.value(fact);
      // A text is NaN here, which is in no range.
      if (value >= least && value <= most) return true;
    }
  } else if (accepted.length === 1) {
    const [only] = accepted;
    for (let at = from; at < to; at += 1) if (words[at] === only) return true;
  } else {
    for (let at = from; at < to; at += 1) if (many.has(words[at]!)) return true;
  }
  return false;
}

function isMet(asked: AskedFact, fact: Fact): boolean {
  if (asked.kind === 'one-of') return asked.facts.includes(fact);
  if (subjectOf(fact) !== asked.subject) return false;
  const value = numberIn(fact);
  return value >= asked.least && value <= asked.most;
}
