// Runs slow work in numbered steps, some in parallel, and shows progress: on a terminal in one line that is updated, elsewhere in a line every
// ten seconds.
import { spawn } from 'node:child_process';
import process from 'node:process';
import timers from 'node:timers';

const TERMINAL_EVERY_MS = 500;
const LOG_EVERY_MS = 10_000;
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** One line of progress for all steps that run, below which what they write stays. */
class Line {
  #out;
  /** The current text of each running step, in the order in which they began. */
  #texts = new Map();
  /** @param out A stream such as `process.stderr`. */
  constructor(out) {
    this.#out = out;
  }

  /** Replaces the step's text; without a terminal, writes a line. */
  show(step, text) {
    if (!this.#out.isTTY) {
      this.#out.write(`${text}\n`);
      return;
    }
    this.#texts.set(step, text);
    this.#out.write(`\r\u001b[K${this.#fitting()}`);
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
    this.#out.write(this.#fitting());
  }

  /** What the step showed last stays. */
  end(step) {
    const last = this.#texts.get(step);
    this.#texts.delete(step);
    if (this.#out.isTTY) this.#out.write(`\r\u001b[K${this.#cut(last)}\n${this.#fitting()}`);
  }

  #fitting() {
    return this.#cut([...this.#texts.values()].join('; '));
  }

  #cut(text) {
    // A terminal that has been told no size has 0 columns.
    return text.slice(0, (this.#out.columns || 80) - 1);
  }
}

/**
 * Runs steps one after the other. A step is
 * - `title`: what it does, e.g. `Compiling`;
 * - `usually`: how long it takes, e.g. `half a minute`;
 * - `work`: does it; gets a function that runs a program and passes on what it writes;
 * - `progress`: how far it is, e.g. `12 of 300 packages`; optional;
 * - `hint`: what helps where it fails; optional;
 * - `inBackground`: whether the next steps begin at once, because they need nothing of it; optional.
 * @throws ProgramError with the status of a program that failed; then all other programs are stopped, as they are by a signal.
 */
export async function runSteps(steps, out = process.stderr) {
  const line = new Line(out);
  const running = new Set();
  const begun = [];
  const end = (signal) => {
    for (const child of running) stop(child);
    process.kill(process.pid, signal);
  };
  for (const signal of ENDING) process.once(signal, end);
  try {
    for (const [index, step] of steps.entries()) {
      const ended = runStep(line, running, `[${index + 1}/${steps.length}] ${step.title}`, step, out);
      begun.push(ended);
      // What fails in the background ends this step, too.
      if (step.inBackground !== true) await Promise.race([ended, firstFailure(begun)]);
    }
    await Promise.all(begun);
  } catch (error) {
    for (const child of running) stop(child);
    throw error;
  } finally {
    for (const signal of ENDING) process.off(signal, end);
  }
}

/** Whether a program can have a process group of its own, so that all it has started can be stopped with it, such as npm's compilers. */
const HAS_GROUPS = process.platform !== 'win32';

/** Stops a program, and what it has started. */
function stop(child) {
  try {
    if (HAS_GROUPS) process.kill(-child.pid);
    else child.kill();
  } catch {
    // It has ended by itself.
  }
}

/** Rejects when the first of them does; never resolves. */
function firstFailure(promises) {
  return new Promise((_, reject) => {
    for (const promise of promises) promise.catch(reject);
  });
}

async function runStep(line, running, name, { usually, work, progress, hint }, out) {
  const step = Symbol(name);
  const began = Date.now();
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  const show = () => line.show(step, `${name}: ${[progress?.(), seconds()].filter(Boolean).join(', ')}`);
  line.show(step, `${name}, usually ${usually}`);
  const timer = timers.setInterval(show, out.isTTY ? TERMINAL_EVERY_MS : LOG_EVERY_MS);
  try {
    await work((program, args, options) => runProgram(line, running, program, args, options));
    line.show(step, `${name}: done in ${seconds()}`);
  } catch (error) {
    if (error instanceof ProgramError && hint !== undefined) error.message += `\n${hint}`;
    throw error;
  } finally {
    timers.clearInterval(timer);
    line.end(step);
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

function runProgram(line, running, program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: HAS_GROUPS,
      ...options,
    });
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => line.pass(chunk));
    child.once('error', (error) =>
      reject(new ProgramError(`${program} could not be run: ${error.message}`, 1)),
    );
    child.once('close', (status) => {
      running.delete(child);
      if (status === 0) resolve();
      else reject(new ProgramError(`${[program, ...args].join(' ')} failed`, status ?? 1));
    });
  });
}
