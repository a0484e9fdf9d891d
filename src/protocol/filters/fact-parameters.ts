import { type AttributeValue, NO_ATTRIBUTE_NAME } from '../attributes.js';
import { ProtocolError } from '../errors.js';
import { FACT_NAME } from '../values.js';
import type { AskedAttribute } from './facts.js';

/** Query parameters for attributes (`attr.<name>`, `attr.<name>.min`, `attr.<name>.max`) and further resources (`min.<name>`). */

const ATTRIBUTE = 'attr.';
const RESOURCE = 'min.';
const BOUND = /^(.*)\.(min|max)$/;
/** Matches numbers as JSON writes them. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** Whether a parameter is one of these. */
export function isFactParameter(name: string): boolean {
  return name.startsWith(ATTRIBUTE) || name.startsWith(RESOURCE);
}

/** All meanings of a text in a query or on the command line: itself, and the number or boolean that it reads as. */
export function readings(text: string): AttributeValue[] {
  if (text === 'true' || text === 'false') return [text, text === 'true'];
  return NUMBER.test(text) && Number.isFinite(Number(text)) ? [text, Number(text)] : [text];
}

/** Parses a number as JSON writes it; null for any other text. */
export function readNumber(text: string): number | null {
  return NUMBER.test(text) && Number.isFinite(Number(text)) ? Number(text) : null;
}

function refuse(message: string): never {
  throw new ProtocolError('ADV_002', `invalid filter: ${message}`);
}

/** Collects these parameters of a query. */
export class FactParameters {
  readonly #min = new Map<string, number>();
  readonly #attributes = new Map<string, AttributeValue[] | { min?: number; max?: number }>();

  /**
   * Adds one parameter.
   * @throws ProtocolError `ADV_002` naming it.
   */
  take(parameter: string, value: string): void {
    if (parameter.startsWith(RESOURCE)) {
      this.#takeLeast(parameter, value);
      return;
    }
    const bound = BOUND.exec(parameter.slice(ATTRIBUTE.length));
    const name = bound?.[1] ?? parameter.slice(ATTRIBUTE.length);
    if (!FACT_NAME.test(name)) refuse(`${parameter.slice(0, 64)}: ${NO_ATTRIBUTE_NAME}`);
    const known = this.#attributes.get(name);
    if (known !== undefined && Array.isArray(known) !== (bound === null))
      refuse(`attr.${name}: ask for values or for a range, not for both`);
    if (bound === null) {
      const values = value.split(',').flatMap(readings);
      this.#attributes.set(name, [...((known ?? []) as AttributeValue[]), ...values]);
      return;
    }
    const end = bound[2] as 'min' | 'max';
    const range = (known ?? {}) as { min?: number; max?: number };
    if (range[end] !== undefined) refuse(`${parameter} is given twice`);
    this.#attributes.set(name, { ...range, [end]: numberOf(parameter, value) });
  }

  /** The parameters as members of a filter. */
  get members(): object {
    return {
      ...(this.#min.size === 0 ? {} : { min: Object.fromEntries(this.#min) }),
      ...(this.#attributes.size === 0 ? {} : { attributes: Object.fromEntries(this.#attributes) }),
    };
  }

  #takeLeast(parameter: string, value: string): void {
    const name = parameter.slice(RESOURCE.length);
    if (!FACT_NAME.test(name)) {
      refuse(
        `${parameter.slice(0, 64)}: is not a resource name: use a lower-case letter, then up to 31 of a-z, 0-9 and _`,
      );
    }
    if (this.#min.has(name)) refuse(`${parameter} is given twice`);
    this.#min.set(name, numberOf(parameter, value));
  }
}

function numberOf(parameter: string, value: string): number {
  return (
    readNumber(value) ?? refuse(`${parameter}: must be a number, not ${JSON.stringify(value.slice(0, 32))}`)
  );
}

/**
 * The query parameters for a filter's attributes.
 * @throws ProtocolError `ADV_002` if a query cannot express them exactly.
 */
export function attributeParameters(
  name: string,
  asked: AskedAttribute,
): [parameter: string, value: string][] {
  const parameter = `${ATTRIBUTE}${name}`;
  if (!Array.isArray(asked)) {
    return [
      ...(asked.min === undefined ? [] : ([[`${parameter}.min`, String(asked.min)]] as [string, string][])),
      ...(asked.max === undefined ? [] : ([[`${parameter}.max`, String(asked.max)]] as [string, string][])),
    ];
  }
  const [only] = asked;
  // A range of one number is exact, whereas the number itself would also match the text.
  if (asked.length === 1 && typeof only === 'number')
    return attributeParameters(name, { min: only, max: only });
  const texts = new Set(asked.map(String));
  for (const text of texts) {
    if (text.includes(',')) {
      refuse(
        `${parameter}: a query cannot ask for ${JSON.stringify(text)}, because a comma separates values there; watch() can`,
      );
    }
    const meant = readings(text);
    if (!meant.every((value) => asked.includes(value))) {
      refuse(
        `${parameter}: a query cannot tell ${meant.map((value) => JSON.stringify(value)).join(' from ')}; ask for both, or watch()`,
      );
    }
  }
  return [...texts].map((text) => [parameter, text]);
}

/** The parameter that asks for at least an amount of a further resource. */
export function resourceParameter(name: string, least: number): [parameter: string, value: string] {
  return [`${RESOURCE}${name}`, String(least)];
}
