import { type Logger, pino } from 'pino';
import { build as pretty } from 'pino-pretty';

export type { Logger };

/** A structured log on standard output: readable on a terminal, one JSON object a line everywhere else. */
export function createLog(debug: boolean): Logger {
  const options = { level: debug ? 'debug' : 'info', base: null };
  return process.stdout.isTTY
    ? pino(options, pretty({ sync: true, singleLine: true }))
    : pino(options, pino.destination({ sync: true }));
}
