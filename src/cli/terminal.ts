import picocolors from 'picocolors';
import { EXIT } from './exit-codes.js';

/** One of the process's output streams. */
interface Output {
  /** Undefined, rather than false, for a pipe or a file. */
  isTTY?: boolean;
  columns?: number;
}

/** Colours for a stream: none if it is not a terminal or `NO_COLOR` is set. */
export function coloursFor(stream: Output): ReturnType<typeof picocolors.createColors> {
  const { NO_COLOR, TERM } = process.env;
  // Given undefined, the library would decide by itself, and treat CI as a terminal.
  return picocolors.createColors(stream.isTTY === true && (NO_COLOR ?? '') === '' && TERM !== 'dumb');
}

/** The width of a terminal in columns; null without one, when nothing needs to be truncated. */
export function widthOf(stream: Output): number | null {
  return stream.isTTY === true ? (stream.columns ?? 80) : null;
}

/**
 * Makes a stranger's text safe to print: replaces control characters, which could rewrite the terminal, and characters that change the
 * writing direction.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}

/**
 * JSON of what a hub sent, for terminals and programs alike: escapes what `printable` replaces, which `JSON.stringify` does only in part.
 */
export function printableJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/** A signal aborted by SIGINT or SIGTERM, upon which commands that run until stopped exit with status 0. */
export function untilStopped(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    // A second signal means not to wait for a clean exit.
    if (controller.signal.aborted) process.exit(EXIT.failed);
    controller.abort();
  };
  // Not `once`: the library that restores the cursor ends the process as soon as nobody else listens.
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

/** Exits quietly when the reader of the output, e.g. `head`, closes it; says so if it cannot be written for another reason. */
export function toleratePipeEnd(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    process.stderr.write(`The output cannot be written: ${error.message}\n`);
    process.exit(EXIT.failed);
  });
}
