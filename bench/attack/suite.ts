import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Hub } from '../hub.js';
import type { Bench } from '../part.js';
import { Attacker } from './attacker.js';
import { type Attack, ATTACKS } from './attacks.js';
import { type Deed, DEEDS } from './honest.js';
import { HonestProcess } from './honest-process.js';

/** The results of one attack. */
export interface Result {
  attack: Attack;
  /** Latencies of the honest client, in milliseconds; NaN if it was never served. */
  p99: Readonly<Record<Deed, number>>;
  /** The hub's peak memory, relative to before. */
  memory: number;
  longestStopMs: number;
  /** Failures that do not depend on the machine; empty if none. */
  failures: readonly string[];
}

/** The bound on the honest client's 99th percentile, in milliseconds. */
export const MAX_P99_MS = 100;
export const MAX_MEMORY_RATIO = 1.5;

const SAMPLE_MEMORY_MS = 50;
/** The latencies of a client that was never served. */
const NEVER = Object.fromEntries(DEEDS.map((deed) => [deed, Number.NaN])) as Record<Deed, number>;

/** The resident memory of a running process, in bytes. */
function memoryOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

function p99(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}

/**
 * Runs one attack after the other on a hub, each from its own address, with an honest client at another.
 * @param seconds The duration of each attack.
 */
export async function attackHub(
  bench: Bench,
  hub: Hub,
  seconds: number,
  say: (text: string) => void,
  attacks: readonly Attack[] = ATTACKS,
): Promise<Result[]> {
  const results: Result[] = [];
  const honest = new HonestProcess(bench);
  for (const [index, attack] of attacks.entries()) {
    say(attack.name);
    const result = await runAttack(hub, honest, attack, index + 1, seconds);
    results.push(result);
    if (hub.program.ended) break;
  }
  await honest.end();
  return results;
}

async function runAttack(
  hub: Hub,
  { remote: honest }: HonestProcess,
  attack: Attack,
  number: number,
  seconds: number,
): Promise<Result> {
  const failures: string[] = [];
  try {
    await honest.call('open', { port: hub.port, from: `127.0.2.${String(number)}` });
  } catch (error) {
    // Leftovers of the previous attack would keep newcomers out.
    return { attack, p99: NEVER, memory: 1, longestStopMs: Number.NaN, failures: [(error as Error).message] };
  }
  const pid = hub.program.child.pid!;
  await hub.state();
  const before = memoryOf(pid);
  let peak = before;
  const sampling = setInterval(() => {
    if (!hub.program.ended) peak = Math.max(peak, memoryOf(pid));
  }, SAMPLE_MEMORY_MS);
  await honest.call('begin', null);
  const attacker = new Attacker(hub.port, `127.0.1.${String(number)}`, seconds);
  try {
    await attack.run(attacker);
  } catch (error) {
    failures.push((error as Error).message);
  }
  const noticed = await honest.call('end', null);
  clearInterval(sampling);
  await attacker.end();
  failures.push(...new Set(noticed.failures));
  if (hub.program.ended) failures.push(`the hub ended:\n${hub.program.output}`);
  const longestStopMs = hub.program.ended ? Number.NaN : (await hub.state()).longestStopMs;
  // Clears away what the attacker left before the next measurement.
  await pause(200);
  const times = Object.fromEntries(DEEDS.map((deed) => [deed, p99(noticed.times[deed])]));
  return { attack, p99: times as Record<Deed, number>, memory: peak / before, longestStopMs, failures };
}

/** All failures, including latencies; empty if there are none. */
export function missesOf({ p99: times, memory, failures }: Result): string[] {
  const slow = DEEDS.filter((deed) => !(times[deed] <= MAX_P99_MS)).map((deed) => `${deed} is late`);
  return [...failures, ...slow, ...(memory <= MAX_MEMORY_RATIO ? [] : ['too much memory'])];
}
