import stringWidth from 'string-width';
import { printable } from '../terminal.js';

const graphemes = new Intl.Segmenter();

/** Joiners and variation selectors: terminals differ on whether they merge several characters into one. */
const JOINERS = /\p{Join_Control}|\p{Variation_Selector}/gu;
/** More marks on one letter than any language uses: they would smear the lines above and below. */
const PILED_MARKS = /(\p{M}{3})\p{M}+/gu;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
/** Left-to-right mark, of no width: the text that follows reads from left to right again. */
const LEFT_TO_RIGHT_MARK = '\u200e';

/** Screen columns of a text: two for each Chinese character and emoji, none for marks. */
export function displayWidth(text: string): number {
  return stringWidth(text);
}

/** Makes untrusted text safe for a cell: printable, and as wide on every terminal as `displayWidth` says. */
export function cellText(text: string): string {
  return printable(text.replace(JOINERS, '').replace(PILED_MARKS, '$1'));
}

/** The longest prefix that fits in so many columns, in whole letters. */
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

/** Truncates a text to so many columns, ending with … if anything is missing. */
export function cut(text: string, width: number): string {
  return displayWidth(text) <= width ? text : `${beginning(text, width - 1)}…`;
}

/** Pads a text to a width, on the left or right. Right-to-left text does not affect the direction of what follows. */
export function pad(text: string, width: number, right: boolean): string {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)));
  if (right) return fill + text;
  return RIGHT_TO_LEFT.test(text) ? text + LEFT_TO_RIGHT_MARK + fill : text + fill;
}

/** Wraps a text into lines of at most `width` columns, between words, or within a word that is longer. */
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
