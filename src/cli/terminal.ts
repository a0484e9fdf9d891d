import picocolors from 'picocolors';
import { EXIT } from './exit-codes.js';

/** One of the process's output streams. */
interface Output {
  /** Undefined, not false, for a pipe or a file. */
  isTTY?: boolean;
  columns?: number;
}

/** Colours for a stream: none where there is no terminal or `NO_COLOR` is set. */
export function coloursFor(stream: Output): ReturnType<typeof picocolors.createColors> {
  const { NO_COLOR, TERM } = process.env;
  // Told undefined, the library decides by itself, and takes CI for a terminal.
  return picocolors.createColors(stream.isTTY === true && (NO_COLOR ?? '') === '' && TERM !== 'dumb');
}

/** The width of a terminal in columns; null where there is none, and nothing needs to be cut. */
export function widthOf(stream: Output): number | null {
  return stream.isTTY === true ? (stream.columns ?? 80) : null;
}

/**
 * A text from a stranger as it may be shown: control characters, which could rewrite the terminal, are replaced, and
 * so are those that change the direction of writing.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}

/**
 * JSON of what a hub sent, for a terminal and for programs alike: what `printable` replaces is escaped, as JSON allows and
 * `JSON.stringify` does for some of it only.
 */
export function printableJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/** Aborted by SIGINT or SIGTERM: commands that run until stopped end themselves then, with status 0. */
export function untilStopped(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    // Whoever asks twice does not want to wait for a clean end.
    if (controller.signal.aborted) process.exit(EXIT.failed);
    controller.abort();
  };
  // Not `once`: what restores the cursor ends the process as soon as nobody else listens.
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

/** Ends quietly when whoever reads the output, e.g. `head`, has seen enough. */
export function toleratePipeEnd(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}
