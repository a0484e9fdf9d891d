import { type Logger, pino, stdTimeFunctions } from 'pino';
import { build as pretty } from 'pino-pretty';

export type { Logger };

/**
 * A structured log on standard output: readable text on a terminal, elsewhere one JSON object per line, with ISO times and
 * level names.
 */
export function createLog(debug: boolean): Logger {
  const options = {
    level: debug ? 'debug' : 'info',
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return process.stdout.isTTY
    ? pino(options, pretty({ sync: true, singleLine: true }))
    : pino(options, pino.destination({ sync: true }));
}
