import { clearBit, setBit } from '../../lib/bitmap.js';
import type { Fact } from '../../registry/store/facts/fact.js';
import { type FactLists, UNNUMBERED } from '../../registry/store/facts/fact-lists.js';
import type { AskedFact, FactRange } from '../../registry/store/facts/fact-tests.js';
import { ThresholdIndex } from './threshold-index.js';

/** The filters anchored by a range of one subject. */
interface RangeFilters {
  /** Thresholds of lower bounds, and of negated upper bounds. */
  readonly leasts: ThresholdIndex;
  readonly mosts: ThresholdIndex;
  count: number;
}

/** The fact by which a filter is found, as numbers that it holds. */
export type Anchor =
  | { readonly kind: 'one-of'; readonly facts: readonly number[] }
  | { readonly kind: 'range'; readonly subject: number; readonly least: number; readonly most: number };

/**
 * Narrows down the filters to test against a row's facts. One of a filter's requirements on facts is its anchor: the filter is tested only if
 * the row meets that one. Filters without requirements on facts are always tested. So a change costs only as much as the filters that may
 * match it, however many others there are.
 */
export class Anchors {
  readonly #lists: FactLists;
  /** Filters without requirements on facts, and those with any. */
  #indifferent: Uint32Array;
  #asking: Uint32Array;
  #scratch: Uint32Array;
  #count = 0;
  /** By the number of the anchoring fact. */
  readonly #byFact = new Map<number, Set<number>>();
  /** By the number of a subject. */
  readonly #byRange = new Map<number, RangeFilters>();

  constructor(lists: FactLists, words: number) {
    this.#lists = lists;
    this.#indifferent = new Uint32Array(words);
    this.#asking = new Uint32Array(words);
    this.#scratch = new Uint32Array(words);
  }

  /** Whether any filter has requirements on facts. */
  get isAsked(): boolean {
    return this.#count > 0;
  }

  grow(words: number): void {
    const lengthen = (bitmap: Uint32Array): Uint32Array => {
      const longer = new Uint32Array(words);
      longer.set(bitmap);
      return longer;
    };
    this.#indifferent = lengthen(this.#indifferent);
    this.#asking = lengthen(this.#asking);
    this.#scratch = new Uint32Array(words);
    for (const { leasts, mosts } of this.#byRange.values()) {
      leasts.invalidate();
      mosts.invalidate();
    }
  }

  /** @param anchor Null for a filter without requirements on facts. */
  insert(anchor: Anchor | null, handle: number): void {
    if (anchor === null) {
      setBit(this.#indifferent, handle);
      return;
    }
    this.#count += 1;
    setBit(this.#asking, handle);
    if (anchor.kind === 'one-of') {
      for (const fact of anchor.facts) {
        const filters = this.#byFact.get(fact);
        if (filters === undefined) this.#byFact.set(fact, new Set([handle]));
        else filters.add(handle);
      }
      return;
    }
    let range = this.#byRange.get(anchor.subject);
    if (range === undefined) {
      range = { leasts: new ThresholdIndex(), mosts: new ThresholdIndex(), count: 0 };
      this.#byRange.set(anchor.subject, range);
    }
    range.count += 1;
    range.leasts.insert(anchor.least, handle);
    range.mosts.insert(-anchor.most, handle);
  }

  remove(anchor: Anchor | null, handle: number): void {
    if (anchor === null) {
      clearBit(this.#indifferent, handle);
      return;
    }
    this.#count -= 1;
    clearBit(this.#asking, handle);
    if (anchor.kind === 'one-of') {
      for (const fact of anchor.facts) {
        const filters = this.#byFact.get(fact)!;
        filters.delete(handle);
        if (filters.size === 0) this.#byFact.delete(fact);
      }
      return;
    }
    const range = this.#byRange.get(anchor.subject)!;
    range.leasts.remove(anchor.least, handle);
    range.mosts.remove(-anchor.most, handle);
    range.count -= 1;
    if (range.count === 0) this.#byRange.delete(anchor.subject);
  }

  /** The filters that may match a row with these facts: a bitmap, valid until the next query or change. */
  candidates(address: number): Uint32Array {
    const facts = this.#lists.of(address);
    const scratch = this.#scratch;
    scratch.set(this.#indifferent);
    for (const fact of facts) {
      // Its facts are texts, which only the filters themselves can test.
      if (fact === UNNUMBERED)
        for (let word = 0; word < scratch.length; word += 1) scratch[word]! |= this.#asking[word]!;
      const filters = this.#byFact.get(fact);
      if (filters !== undefined) for (const handle of filters) setBit(scratch, handle);
      this.#addRanges(fact, scratch);
    }
    return scratch;
  }

  #addRanges(fact: number, scratch: Uint32Array): void {
    if (this.#byRange.size === 0) return;
    const { numbers } = this.#lists;
    const value = numbers.value(fact);
    if (Number.isNaN(value)) return;
    const range = this.#byRange.get(numbers.subject(fact));
    const fromLeast = range?.leasts.candidates(value, scratch.length) ?? null;
    const fromMost = range?.mosts.candidates(-value, scratch.length) ?? null;
    if (fromLeast === null || fromMost === null) return;
    for (let word = 0; word < scratch.length; word += 1) scratch[word]! |= fromLeast[word]! & fromMost[word]!;
  }
}

/** A filter's requirements on facts, held for as long as it is in the index, and its anchor. */
export class HeldFacts {
  readonly anchor: Anchor | null;
  readonly #lists: FactLists;
  readonly #facts: readonly number[];
  readonly #subjects: readonly number[];

  constructor(asked: readonly AskedFact[], lists: FactLists) {
    const { numbers } = lists;
    const acquire = (fact: Fact): number => numbers.acquire(fact);
    const held = asked.map((one) =>
      one.kind === 'one-of'
        ? ({ kind: 'one-of', facts: one.facts.map(acquire) } as const)
        : anchorOf(one, numbers.acquireSubject(one.subject)),
    );
    this.#lists = lists;
    this.#facts = held.flatMap((one) => (one.kind === 'one-of' ? one.facts : []));
    this.#subjects = held.flatMap((one) => (one.kind === 'range' ? [one.subject] : []));
    // A few values match fewer rows than a range.
    const [first] = [...held].sort((a, b) => weightOf(a) - weightOf(b));
    this.anchor = first ?? null;
  }

  /** Releases all numbers. */
  release(): void {
    for (const fact of this.#facts) this.#lists.numbers.release(fact);
    for (const subject of this.#subjects) this.#lists.numbers.releaseSubject(subject);
  }
}

function anchorOf({ least, most }: FactRange, subject: number): Anchor {
  return { kind: 'range', subject, least, most };
}

function weightOf(anchor: Anchor): number {
  return anchor.kind === 'one-of' ? anchor.facts.length : Number.POSITIVE_INFINITY;
}
