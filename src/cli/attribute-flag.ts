import { InvalidArgumentError } from 'commander';
import { readings, readNumber } from '../protocol/filters/fact-parameters.js';
import type { AskedAttribute } from '../protocol/filters/facts.js';

const FORM =
  'It has to be name=value, or name:least..most for a number, where one of the two may be left out.';

/**
 * Reads `gpu_model=RTX 4090`, `bandwidth_mbps:100..` or `bandwidth_mbps:100..1000`, several times; several values of one
 * attribute are alternatives. A value that reads as a number or a boolean equals both that and the text.
 */
export function collectAttribute(text: string, earlier: unknown): Record<string, AskedAttribute> {
  const before = (earlier ?? {}) as Record<string, AskedAttribute>;
  const [, name, separator, rest] = /^([^=:]+)([=:])(.*)$/s.exec(text) ?? [];
  if (name === undefined || rest === undefined) throw new InvalidArgumentError(FORM);
  const known = before[name];
  if (known !== undefined && (!Array.isArray(known) || separator === ':'))
    throw new InvalidArgumentError(`Ask for values of ${name} or for one range, not for both.`);
  if (separator === ':') return { ...before, [name]: rangeIn(rest) };
  return { ...before, [name]: [...((known ?? []) as string[]), ...readings(rest)] };
}

function rangeIn(text: string): AskedAttribute {
  const [least, most, ...more] = text.split('..');
  if (least === undefined || most === undefined || more.length > 0 || (least === '' && most === ''))
    throw new InvalidArgumentError(FORM);
  return {
    ...(least === '' ? {} : { min: numberIn(least) }),
    ...(most === '' ? {} : { max: numberIn(most) }),
  };
}

function numberIn(text: string): number {
  const number = readNumber(text);
  if (number === null) throw new InvalidArgumentError(FORM);
  return number;
}
