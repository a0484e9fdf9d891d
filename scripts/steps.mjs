// Runs what takes long in numbered steps, and says how far each one is: on a terminal in a line that stays, elsewhere, say in the log of
// a container's build, in a line now and then.
import { spawn } from 'node:child_process';
import process from 'node:process';
import timers from 'node:timers';

const TERMINAL_EVERY_MS = 500;
const LOG_EVERY_MS = 10_000;

/** One line of progress, below which a step's own output is written. */
class Line {
  #out;
  #text = '';
  /** @param out A stream such as `process.stderr`. */
  constructor(out) {
    this.#out = out;
  }

  /** Takes the place of what was shown; elsewhere than on a terminal it is a line of its own. */
  show(text) {
    if (!this.#out.isTTY) {
      this.#out.write(`${text}\n`);
      return;
    }
    this.#text = text.slice(0, (this.#out.columns ?? 80) - 1);
    this.#out.write(`\r\u001b[K${this.#text}`);
  }

  /** Writes what stays, above the line. */
  pass(chunk) {
    if (!this.#out.isTTY) {
      this.#out.write(chunk);
      return;
    }
    this.#out.write('\r\u001b[K');
    this.#out.write(chunk);
    if (!String(chunk).endsWith('\n')) this.#out.write('\n');
    this.#out.write(this.#text);
  }

  /** What was shown stays. */
  end() {
    if (this.#out.isTTY) this.#out.write('\n');
    this.#text = '';
  }
}

/**
 * Runs steps one after the other. A step is
 * - `title`: what it does, e.g. `Compiling`;
 * - `usually`: how long it takes, e.g. `half a minute`;
 * - `work`: does it; gets a function that runs a program and passes on what it writes;
 * - `far`: how far it is, e.g. `12 of 300 packages`; may be left out;
 * - `hint`: what helps where it fails; may be left out.
 * @throws ProgramError with the status of a program that failed.
 */
export async function runSteps(steps, out = process.stderr) {
  const line = new Line(out);
  for (const [index, { title, usually, work, far, hint }] of steps.entries()) {
    const began = Date.now();
    const name = `[${index + 1}/${steps.length}] ${title}`;
    const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
    const show = () => line.show(`${name}: ${[far?.(), seconds()].filter(Boolean).join(', ')}`);
    line.show(`${name}, usually ${usually}`);
    const timer = timers.setInterval(show, out.isTTY ? TERMINAL_EVERY_MS : LOG_EVERY_MS);
    try {
      await work((program, args, options) => runProgram(line, program, args, options));
      line.show(`${name}: done in ${seconds()}`);
    } catch (error) {
      if (error instanceof ProgramError && hint !== undefined) error.message += `\n${hint}`;
      throw error;
    } finally {
      timers.clearInterval(timer);
      line.end();
    }
  }
}

/** A program of a step failed; what it wrote says why. */
export class ProgramError extends Error {
  /** @param status What to exit with. */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

function runProgram(line, program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => line.pass(chunk));
    child.once('error', (error) =>
      reject(new ProgramError(`${program} could not be run: ${error.message}`, 1)),
    );
    child.once('close', (status) => {
      if (status === 0) resolve();
      else reject(new ProgramError(`${[program, ...args].join(' ')} failed`, status ?? 1));
    });
  });
}
