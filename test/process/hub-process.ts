import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { PROGRAM } from '../support/hubs/program.js';
import { Metrics } from '../support/clients/prometheus.js';

const running = new Set<ChildProcess>();

/** Has a process end with the tests of this file, even when one of them failed. */
export function endWithTests(child: ChildProcess): void {
  running.add(child);
  child.once('close', () => running.delete(child));
}

after(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** A folder of its own for a test, removed at its end. */
export function scratchFolder(test: { after: (cleanUp: () => void) => void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'hub-process-'));
  test.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** How a hub's process is started, where that is not as usual. */
export interface HubProcessOptions {
  /** What goes before the name of the program, e.g. `--import` and a file. */
  nodeArgs?: readonly string[];
  /** The user that it runs as, and the group of the same number. */
  uid?: number;
  /** How many files it may have open, where that is not as many as this process. */
  openFiles?: number;
}

/** A line of a program's output. */
export type Line = Record<string, unknown> & { msg?: string };

/** How long a program may take to write what a test waits for, in milliseconds: a test that would wait for ever says what it waits for. */
export const MAX_WAIT_MS = 120_000;

/** Resolves when those who wait are woken, or at a time on the monotonic clock. */
export async function woken(waiting: Set<() => void>, end: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    waiting.add(resolve);
    timer = setTimeout(resolve, Math.max(0, end - performance.now()));
  });
  clearTimeout(timer);
}

/** A program that was started, with its output by lines. */
export class RunningProcess {
  readonly child: ChildProcess;
  /** Everything it wrote, both streams. */
  output = '';
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #waiting = new Set<() => void>();

  constructor(
    command: string,
    args: readonly string[],
    options: { cwd: string; env: NodeJS.ProcessEnv; uid?: number; gid?: number },
  ) {
    this.child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    endWithTests(this.child);
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.output += `${line}\n`;
        this.#wake();
      });
    }
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      this.#wake();
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  /** Resolves with the match once the output has it; rejects when the program ends without. */
  async wrote(pattern: RegExp): Promise<RegExpExecArray> {
    const end = performance.now() + MAX_WAIT_MS;
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        await this.exited;
        const last = pattern.exec(this.output);
        if (last !== null) return last;
        throw new Error(`it ended without writing ${String(pattern)}:\n${this.output}`);
      }
      if (performance.now() >= end)
        throw new Error(`it has not written ${String(pattern)} in time:\n${this.output}`);
      await woken(this.#waiting, end);
    }
  }

  /** Ends it at once, as a power cut does to a process. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** Asks it to stop, and waits until it has. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return (await this.exited).code;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

/** A hub in a process of its own. */
export class HubProcess extends RunningProcess {
  port = 0;

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  /**
   * Starts `serve`, without waiting for it to listen.
   * @param settings Names without prefix; the database is `hub.db` in the folder.
   */
  static spawn(
    folder: string,
    settings: Record<string, string> = {},
    { nodeArgs = [], uid, openFiles }: HubProcessOptions = {},
  ): HubProcess {
    const env: NodeJS.ProcessEnv = {
      PATH: process.env['PATH'],
      DISCOVERY_HOST: '127.0.0.1',
      DISCOVERY_PORT: '0',
      DISCOVERY_RATE_LIMIT_PER_MINUTE: '0',
      DISCOVERY_DRAIN_SECONDS: '0',
      DISCOVERY_DB_URL: 'sqlite:///hub.db',
    };
    for (const [name, value] of Object.entries(settings)) env[`DISCOVERY_${name}`] = value;
    const user = uid === undefined ? {} : { uid, gid: uid };
    const options = { cwd: folder, env, ...user };
    const command = [process.execPath, ...nodeArgs, PROGRAM, 'serve'];
    if (openFiles === undefined) return new HubProcess(command[0]!, command.slice(1), options);
    const script = `ulimit -n ${openFiles} && exec "$0" "$@"`;
    return new HubProcess('sh', ['-c', script, ...command], options);
  }

  /** Starts `serve` and waits until it listens. */
  static async start(
    folder: string,
    settings: Record<string, string> = {},
    options: HubProcessOptions = {},
  ): Promise<HubProcess> {
    const hub = HubProcess.spawn(folder, settings, options);
    await hub.listening();
    return hub;
  }

  async listening(): Promise<void> {
    const match = await this.wrote(/"port":(\d+).*the hub is listening/);
    this.port = Number(match[1]);
  }

  async metrics(): Promise<Metrics> {
    return new Metrics(await (await fetch(`${this.url}/metrics`)).text());
  }

  /** A request whose answer is JSON. */
  async request<Body = unknown>(
    method: string,
    path: string,
    init: RequestInit = {},
  ): Promise<{ status: number; body: Body }> {
    const response = await fetch(this.url + path, { ...init, method });
    return { status: response.status, body: (await response.json()) as Body };
  }
}
