import { spawn, spawnSync } from 'node:child_process';
import { endWithTests, MAX_WAIT_MS, RunningProcess, woken } from '../process/hub-process.js';
import { PROGRAM } from '../support/hubs/program.js';

/** Why there are no pseudo-terminals here; false where there are. */
export const NO_TERMINAL: string | false =
  spawnSync('script', ['--version']).status === 0 ? false : 'the program script (util-linux) is not here';

// eslint-disable-next-line no-control-regex -- finding control sequences is the purpose
const CONTROL_SEQUENCES = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** What is left of a terminal's output without colours, cursor movements and the echo of Ctrl-C. */
export function plain(output: string): string {
  return output.replace(CONTROL_SEQUENCES, '').replaceAll('\r', '').replaceAll('^C', '');
}

/** Runs the command without a terminal, as a script does. */
export function runPiped(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): RunningProcess {
  return new RunningProcess(process.execPath, [PROGRAM, ...args], { cwd, env: { ...process.env, ...env } });
}

/** A command on a pseudo-terminal, with a keyboard. */
export class Terminal {
  /** Everything the terminal was sent, control sequences included. */
  screen = '';
  readonly exitCode: Promise<number | null>;
  readonly #child: ReturnType<typeof spawn>;
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[], options: { columns: number; cwd: string; env?: NodeJS.ProcessEnv }) {
    const quoted = [process.execPath, PROGRAM, ...args]
      .map((part) => `'${part.replaceAll("'", `'\\''`)}'`)
      .join(' ');
    const command = `stty cols ${options.columns} rows 30; exec ${quoted}`;
    const { NO_COLOR: _, ...inherited } = process.env;
    this.#child = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd: options.cwd,
      env: { ...inherited, TERM: 'xterm-256color', ...options.env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    endWithTests(this.#child);
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.screen += text;
      this.#wake();
    });
    this.exitCode = new Promise((resolve) => {
      this.#child.on('close', (code) => {
        this.#wake();
        resolve(code);
      });
    });
  }

  /** Resolves once the plain text of the screen has it. */
  async shows(pattern: RegExp): Promise<void> {
    const end = performance.now() + MAX_WAIT_MS;
    while (!pattern.test(plain(this.screen))) {
      if (this.#child.exitCode !== null)
        throw new Error(`it ended without showing ${String(pattern)}:\n${this.screen}`);
      if (performance.now() >= end)
        throw new Error(`it has not shown ${String(pattern)} in time:\n${this.screen}`);
      await woken(this.#waiting, end);
    }
  }

  /** Presses Ctrl-C. */
  interrupt(): void {
    this.#child.stdin!.write('\u0003');
  }

  /** Takes the terminal away, as closing its window does. */
  close(): void {
    this.#child.kill('SIGKILL');
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
