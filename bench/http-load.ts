import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hub } from './hub.js';
import { LoadProcess } from './load-process.js';
import { type Bench, WrongAnswerError } from './part.js';
import type { Pulse } from './pulse.js';
import { cpuSecondsOf } from './processes.js';

/** GET requests to send in turn, and the length of each answer (head and body). */
export interface GetTarget {
  port: number;
  host: string;
  paths: string[];
  expectedBytes: number[];
  /** Of the body alone. Heads grow with the cursor in them. */
  expectedBodyBytes: number[];
}

/** The results of some time under load. */
export interface LoadFigure {
  requests: number;
  seconds: number;
  /** Of the load generator; null if unknown. */
  cpuSeconds: number | null;
}

const CONNECTIONS = 32;

/** Whether wrk is installed. */
export function hasWrk(): boolean {
  try {
    execFileSync('wrk', ['--version'], { stdio: 'ignore' });
  } catch (error) {
    // It prints its version, and exits with an error.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
  return true;
}

/** Sends as many GET requests as it can: with wrk if it is installed, otherwise with our own program. */
export class HttpLoad {
  readonly #bench: Bench;
  readonly #own: LoadProcess | null;

  constructor(bench: Bench) {
    this.#bench = bench;
    this.#own = hasWrk() ? null : new LoadProcess(bench);
  }

  /** Throws WrongAnswerError if any answer had the wrong status or length. */
  async run(target: GetTarget, seconds: number): Promise<LoadFigure> {
    if (this.#own === null) return runWrk(this.#bench, target, seconds);
    const { requests, ...timing } = await this.#own.remote.call('gets', {
      ...target,
      connections: CONNECTIONS,
      seconds,
    });
    return { requests, seconds: timing.seconds, cpuSeconds: timing.cpuShare * timing.seconds };
  }

  async end(): Promise<void> {
    await this.#own?.end();
  }
}

/** Sends requests in turn, and prints the results as JSON after a marker, because wrk prints a report, too. */
function scriptFor(paths: readonly string[]): string {
  return `local paths = { ${paths.map((path) => JSON.stringify(path)).join(', ')} }
local requests = {}
local at = 0
init = function()
  for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
done = function(summary)
  local e = summary.errors
  io.write(string.format('\\nRESULT {"requests":%d,"bytes":%d,"micros":%d,"errors":%d}\\n',
    summary.requests, summary.bytes, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}

async function runWrk(bench: Bench, target: GetTarget, seconds: number): Promise<LoadFigure> {
  const script = join(bench.folder, 'requests.lua');
  writeFileSync(script, scriptFor(target.paths));
  // It only accepts whole seconds.
  const duration = `${String(Math.max(1, Math.round(seconds)))}s`;
  const url = `http://${target.host}:${String(target.port)}`;
  const args = ['-t1', `-c${String(CONNECTIONS)}`, `-d${duration}`, '--timeout', '10s', '-s', script, url];
  const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  bench.own({ kill: () => child.kill('SIGKILL') });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  let cpuSeconds: number | null = null;
  const poll = setInterval(() => {
    cpuSeconds = (child.pid === undefined ? null : cpuSecondsOf(child.pid)) ?? cpuSeconds;
  }, 50);
  await once(child, 'close');
  clearInterval(poll);
  const json = /^RESULT (.*)$/m.exec(output)?.[1];
  if (json === undefined) throw new Error(`wrk failed:\n${output}`);
  const result = JSON.parse(json) as { requests: number; bytes: number; micros: number; errors: number };
  check(target, result, output);
  return { requests: result.requests, seconds: result.micros / 1e6, cpuSeconds };
}

/** Digits. */
const MAX_CURSOR_GROWTH = 3;

/** Queries take turns, so the total length of the answers is known, except for the last round. */
function check(
  { paths, expectedBytes }: GetTarget,
  { requests, bytes, errors }: { requests: number; bytes: number; errors: number },
  output: string,
): void {
  if (errors > 0 || requests === 0) throw new WrongAnswerError(`requests failed under load:\n${output}`);
  const mean = expectedBytes.reduce((sum, each) => sum + each, 0) / paths.length;
  // The cursor in the head may grow by this many digits meanwhile.
  const slack = Math.max(...expectedBytes) * (CONNECTIONS + paths.length) + requests * MAX_CURSOR_GROWTH;
  if (Math.abs(bytes - requests * mean) > slack) {
    const got = (bytes / requests).toFixed(1);
    throw new WrongAnswerError(`answers had ${got} bytes under load, and ${mean.toFixed(1)} without`);
  }
}

/** One of several servers that get the same load in turn, so that other activity on the machine affects all of them. */
export interface Contender {
  target: GetTarget;
  /** The hub whose event loop is watched; none for a baseline. */
  hub?: Hub;
  /** Changes the hub's state during its turn. */
  pulse?: Pulse;
}

/** The results of one contender. */
export interface ContenderFigure {
  perSecond: number;
  loadShare: number | null;
  longestStopMs: number | null;
}

/** Drives all contenders in turn, after a warm-up, for some seconds per round. */
export async function driveInTurns<Name extends string>(
  load: HttpLoad,
  contenders: Record<Name, Contender>,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<Record<Name, ContenderFigure>> {
  const names = Object.keys(contenders) as Name[];
  const sums = new Map<Name, LoadFigure & { longestStopMs: number | null }>();
  for (const name of names) await load.run(contenders[name].target, 1);
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      const { target, hub, pulse } = contenders[name];
      await hub?.state();
      pulse?.run();
      const figure = await load.run(target, seconds);
      pulse?.pause();
      const stop = hub === undefined ? null : (await hub.state()).longestStopMs;
      const sum = sums.get(name);
      sums.set(name, {
        requests: figure.requests + (sum?.requests ?? 0),
        seconds: figure.seconds + (sum?.seconds ?? 0),
        cpuSeconds: figure.cpuSeconds === null ? null : figure.cpuSeconds + (sum?.cpuSeconds ?? 0),
        longestStopMs: stop === null ? null : Math.max(stop, sum?.longestStopMs ?? 0),
      });
    }
  }
  const figures = {} as Record<Name, ContenderFigure>;
  for (const name of names) {
    const { requests, seconds: time, cpuSeconds, longestStopMs } = sums.get(name)!;
    figures[name] = {
      perSecond: requests / time,
      loadShare: cpuSeconds === null ? null : cpuSeconds / time,
      longestStopMs,
    };
  }
  return figures;
}
