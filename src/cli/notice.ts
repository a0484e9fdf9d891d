import { wrapped } from './tables/text.js';
import { printable, widthOf } from './terminal.js';

/** Writes a sentence for people: in lines that fit a terminal, and in one line where there is none. */
export function writeNotice(
  stream: NodeJS.WriteStream,
  text: string,
  paint: (line: string) => string = (line) => line,
): void {
  const width = widthOf(stream);
  const lines = width === null ? [printable(text)] : wrapped(printable(text), width - 1);
  for (const line of lines) stream.write(`${paint(line)}\n`);
}
