import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Bench, type Owned, WrongAnswerError } from './part.js';

/** How much of a program's output to keep for error messages, in characters. */
const KEPT_OUTPUT = 4000;

/** A Node program of ours in a process of its own, with its output. */
export class Program implements Owned {
  readonly child: ChildProcess;
  readonly name: string;
  readonly #exited: Promise<unknown>;
  #output = '';
  #onOutput: () => void = () => undefined;

  /**
   * @param file Relative to the folder of the compiled benchmark.
   * @param options.calls Whether it answers calls (`serveCalls`).
   */
  constructor(
    bench: Bench,
    name: string,
    file: string,
    args: readonly string[],
    options: { env?: NodeJS.ProcessEnv; calls?: boolean } = {},
  ) {
    this.name = name;
    const path = fileURLToPath(new URL(file, import.meta.url));
    const env = options.env ?? { PATH: process.env['PATH'] };
    this.child = spawn(process.execPath, [path, ...args], {
      cwd: bench.folder,
      env,
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', ...(options.calls === true ? (['ipc'] as const) : [])],
    });
    bench.own(this);
    this.#exited = once(this.child, 'close').then(() => {
      // Node may otherwise find the channel half-open when it ends itself, and then never comes to its end.
      if (this.child.connected) this.child.disconnect();
    });
    this.#exited.catch(() => undefined);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
        this.#onOutput();
      });
    }
    this.child.once('exit', () => this.#onOutput());
  }

  /** Its latest output, for a message. */
  get output(): string {
    return this.#output;
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Resolves with the match once the output contains it; rejects if the program ends first, or after the time limit. */
  wrote(pattern: RegExp, limitMs: number): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        this.#onOutput = () => undefined;
        finish();
      };
      const timer = setTimeout(
        () =>
          settle(() =>
            reject(
              new Error(`${this.name} did not start within ${String(limitMs / 1000)} s:\n${this.#output}`),
            ),
          ),
        limitMs,
      );
      this.#onOutput = () => {
        const match = pattern.exec(this.#output);
        if (match !== null) settle(() => resolve(match));
        else if (this.ended) settle(() => reject(new Error(`${this.name} ended:\n${this.#output}`)));
      };
      this.#onOutput();
    });
  }

  /** Resolves when it ends by itself. */
  async finished(limitMs: number): Promise<void> {
    const timer = setTimeout(() => this.kill(), limitMs);
    await this.#exited;
    clearTimeout(timer);
    if (this.child.exitCode !== 0) throw new Error(`${this.name} failed:\n${this.#output}`);
  }

  /** Stops it gracefully, and waits for its end. */
  async stop(): Promise<void> {
    if (!this.ended) this.child.kill('SIGTERM');
    await this.#exited;
  }

  /** Kills it, and waits for its end. */
  async end(): Promise<void> {
    this.kill();
    await this.#exited;
  }

  kill(): void {
    if (!this.ended) this.child.kill('SIGKILL');
  }

  /** For `Remote`: names the process in an error. */
  readonly error = (message: string, wrong: boolean): Error => {
    const text = `${this.name}: ${message}`;
    return wrong ? new WrongAnswerError(text) : new Error(`${text}\n${this.#output}`.trimEnd());
  };
}

/** CPU seconds that a process has used so far; null if the system does not tell. */
export function cpuSecondsOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // The name, in parentheses, may contain spaces; user and system time are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const TICKS_A_SECOND = 100;
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  } catch {
    return null;
  }
}
