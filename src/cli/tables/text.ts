import stringWidth from 'string-width';
import { printable } from '../terminal.js';

const graphemes = new Intl.Segmenter();

/** Joiners and variation selectors: whether they make one picture of several is different on every terminal. */
const JOINERS = /\p{Join_Control}|\p{Variation_Selector}/gu;
/** More marks on one letter than any language has: they would smear the lines above and below. */
const PILED_MARKS = /(\p{M}{3})\p{M}+/gu;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
/** Has no width. What follows it is read from left to right again. */
const LEFT_TO_RIGHT_MARK = '\u200e';

/** Columns that a terminal needs for a text: two for Chinese characters and emoji, none for marks. */
export function displayWidth(text: string): number {
  return stringWidth(text);
}

/** A text from a stranger as a cell: printable, and as wide on every terminal as `displayWidth` says. */
export function cellText(text: string): string {
  return printable(text.replace(JOINERS, '').replace(PILED_MARKS, '$1'));
}

/** As much of a text as so many columns hold, between whole letters. */
function beginning(text: string, width: number): string {
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += displayWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return kept;
}

/** The beginning of a text that fits in so many columns, with … where something is missing. */
export function cut(text: string, width: number): string {
  return displayWidth(text) <= width ? text : `${beginning(text, width - 1)}…`;
}

/** Fills a text up to a width, from the left or from the right. Text that runs to the left does not take what follows along. */
export function pad(text: string, width: number, right: boolean): string {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)));
  if (right) return fill + text;
  return RIGHT_TO_LEFT.test(text) ? text + LEFT_TO_RIGHT_MARK + fill : text + fill;
}

/** Breaks a text between words into lines of at most `width` columns; a word that is longer, within. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && displayWidth(`${line} ${word}`) > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    while (displayWidth(line) > width) {
      // A terminal may be narrower than one letter.
      const kept = beginning(line, width) || line;
      lines.push(kept);
      line = line.slice(kept.length);
    }
  }
  return [...lines, line];
}
