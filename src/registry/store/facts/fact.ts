import type { AttributeValue } from '../../../protocol/attributes.js';
import { KNOWN_RESOURCES } from '../../../protocol/advertisement.js';

/**
 * A fact is an attribute or a further resource with its value, as one text: the subject, `=`, and the value prefixed with its type. Two
 * facts are equal exactly if their texts are.
 */
export type Fact = string;

/** What a fact is about: an attribute or a further resource, by name. */
export type Subject = string;

export function attributeSubject(name: string): Subject {
  return `a${name}`;
}

export function resourceSubject(name: string): Subject {
  return `r${name}`;
}

export function factOf(subject: Subject, value: AttributeValue): Fact {
  return `${subject}=${(typeof value)[0]!}${String(value)}`;
}

export function subjectOf(fact: Fact): Subject {
  return fact.slice(0, fact.indexOf('='));
}

/** The numeric value of a fact; NaN if it has none. */
export function numberIn(fact: Fact): number {
  const at = fact.indexOf('=') + 1;
  return fact[at] === 'n' ? Number(fact.slice(at + 1)) : Number.NaN;
}

/** The value of a fact. */
export function valueIn(fact: Fact): AttributeValue {
  const at = fact.indexOf('=') + 1;
  const text = fact.slice(at + 1);
  if (fact[at] === 'n') return Number(text);
  return fact[at] === 'b' ? text === 'true' : text;
}

const NONE: readonly Fact[] = [];

/** All facts of an advertisement. */
export function factsOf(
  resources: Readonly<Record<string, number>>,
  attributes: Readonly<Record<string, AttributeValue>> | null,
): readonly Fact[] {
  const further = Object.keys(resources).filter((name) => !KNOWN_RESOURCES.has(name));
  if (further.length === 0 && attributes === null) return NONE;
  return [
    ...further.map((name) => factOf(resourceSubject(name), resources[name]!)),
    ...Object.entries(attributes ?? {}).map(([name, value]) => factOf(attributeSubject(name), value)),
  ];
}
