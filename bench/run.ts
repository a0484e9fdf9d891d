import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printable } from '../src/cli/terminal.js';
import { LONGEST_STOP } from './families.js';
import type { Bench, Family, Outcome, Owned } from './part.js';
import { openFilesLimit, timeSyncs } from './system.js';

/** The results of a run. */
export interface Run {
  outcomes: Outcome[];
  /** Failures, as messages for the user. */
  failures: string[];
  seconds: number;
  /** How long a durable write of 4 KiB takes on this disk, in milliseconds. */
  diskSyncMs: number;
}

/** The most files that a process has open apart from connections. */
const SPARE_FILES = 200;

/** A run, with its scratch folder and the processes that it started. */
export class BenchRun implements Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'hub-bench-'));
  readonly quick: boolean;
  readonly #owned = new Set<Owned>();
  readonly #from = performance.now();
  #title = '';

  constructor(quick: boolean) {
    this.quick = quick;
  }

  get seconds(): number {
    return (performance.now() - this.#from) / 1000;
  }

  size(full: number): number {
    return this.quick ? full / 10 : full;
  }

  connections(full: number): number {
    const wanted = this.size(full);
    const limit = openFilesLimit();
    if (limit === null || wanted + SPARE_FILES <= limit) return wanted;
    this.say(`only ${String(limit - SPARE_FILES)} connections: raise the limit of open files`);
    return limit - SPARE_FILES;
  }

  begin(title: string): void {
    this.#title = title;
  }

  say(text: string): void {
    const time = this.seconds.toFixed(0).padStart(4);
    process.stderr.write(`${time} s  ${this.#title}: ${text}\n`);
  }

  own(thing: Owned): void {
    this.#owned.add(thing);
  }

  /** Ends every process that still runs. */
  killAll(): void {
    for (const thing of this.#owned) thing.kill();
    this.#owned.clear();
  }

  /** Ends every process, and removes the scratch folder. */
  clear(): void {
    this.killAll();
    // Processes that are ending may still write there.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** Measures the wanted parts. A failing family does not stop the others. */
export async function measure(
  bench: BenchRun,
  families: readonly Family[],
  wanted: ReadonlySet<string>,
): Promise<Run> {
  const diskSyncMs = timeSyncs(bench.folder);
  const outcomes: Outcome[] = [];
  const failures: string[] = [];
  for (const family of families) {
    const names = family.parts.map(({ name }) => name).filter((name) => wanted.has(name));
    if (names.length === 0) continue;
    bench.begin(family.title);
    try {
      const measured = await family.run(bench, new Set(names));
      outcomes.push(...measured.filter(({ name }) => wanted.has(name)));
    } catch (error) {
      const message = (error as Error).message.split('\n').map(printable).join('\n');
      failures.push(`${names.join(', ')}: ${message}`);
      bench.say(`failed: ${message}`);
    }
    bench.killAll();
  }
  const stops = outcomes.flatMap(({ longestStopMs }) => longestStopMs ?? []);
  const worst = outcomes.find(({ longestStopMs }) => longestStopMs === Math.max(...stops));
  if (wanted.has(LONGEST_STOP.name) && stops.length > 0) {
    outcomes.push({
      name: LONGEST_STOP.name,
      hub: Math.max(...stops),
      baseline: null,
      loadShare: null,
      baselineLoadShare: null,
      longestStopMs: null,
      note: `${worst?.name ?? ''}; as the hub’s metric has it, which adds up to 10 ms`,
    });
  }
  return { outcomes, failures, seconds: bench.seconds, diskSyncMs };
}
