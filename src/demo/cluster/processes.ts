import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';

/** How long a process may take to end by itself, in milliseconds. */
const END_MS = 10_000;

/** The processes of the demo. None of them outlives it. */
export class Processes {
  readonly #folder: string;
  readonly #running = new Map<string, ChildProcess>();

  /** @param folder Where each writes its log, and works. */
  constructor(folder: string) {
    this.#folder = folder;
    process.once('exit', () => {
      for (const child of this.#running.values()) child.kill('SIGKILL');
    });
  }

  /**
   * Starts a program. In a group of its own, so that Ctrl-C reaches the demo alone, which ends the others in order.
   * @param ended Called once, when it has ended.
   * @returns Its process id.
   */
  start(
    name: string,
    program: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
    ended: () => void,
  ): number {
    const { PATH } = process.env;
    const child = spawn(program, args, {
      cwd: this.#folder,
      detached: true,
      env: { ...(PATH === undefined ? {} : { PATH }), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(this.logOf(name), { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.#running.set(name, child);
    const end = (): void => {
      if (this.#running.get(name) === child) this.#running.delete(name);
      log.end();
      ended();
    };
    child.once('exit', end);
    child.once('error', end);
    return child.pid ?? 0;
  }

  logOf(name: string): string {
    return join(this.#folder, `${name}.log`);
  }

  /** Ends those whose names begin with a text, and waits until they are gone. */
  async stop(beginning: string): Promise<void> {
    const ending = [...this.#running].filter(([name]) => name.startsWith(beginning));
    await Promise.all(
      ending.map(
        ([, child]) =>
          new Promise<void>((resolve) => {
            const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
            child.once('exit', () => {
              clearTimeout(timer);
              resolve();
            });
            child.kill('SIGTERM');
          }),
      ),
    );
  }
}
