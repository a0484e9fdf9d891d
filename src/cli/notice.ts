import { wrapped } from './tables/text.js';
import { printable, widthOf } from './terminal.js';

/** Writes a sentence for people: wrapped on a terminal, otherwise in one line. */
export function writeNotice(
  stream: NodeJS.WriteStream,
  text: string,
  paint: (line: string) => string = (line) => line,
): void {
  const width = widthOf(stream);
  const lines = width === null ? [printable(text)] : wrapped(printable(text), width - 1);
  for (const line of lines) stream.write(`${paint(line)}\n`);
}
