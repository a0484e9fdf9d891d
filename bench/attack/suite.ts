import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Hub } from '../hub.js';
import type { Bench } from '../part.js';
import { Attacker } from './attacker.js';
import { type Attack, ATTACKS } from './attacks.js';
import { type Deed, DEEDS } from './honest.js';
import { HonestProcess } from './honest-process.js';

/** Latencies of an honest client, in milliseconds; NaN if it was never served. */
export interface Latency {
  p50: number;
  p99: number;
}

/** The results of one attack. */
export interface Result {
  attack: Attack;
  latency: Readonly<Record<Deed, Latency>>;
  /** The hub's peak memory, relative to before. */
  memory: number;
  longestStopMs: number;
  /** The share of the time in which the hub's main thread could have run, but had no core; NaN if the system does not tell. */
  withoutCore: number;
  /** Failures that do not depend on the machine; empty if none. */
  failures: readonly string[];
}

/** The bound on the honest client's 99th percentile, in milliseconds. */
export const MAX_P99_MS = 100;
export const MAX_MEMORY_RATIO = 1.5;

const SAMPLE_MEMORY_MS = 50;

/** The resident memory of a running process, in bytes. */
function memoryOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

/** How long a process's main thread has waited for a core, in milliseconds; NaN if the system does not tell. */
function waitedMs(pid: number): number {
  const file = `/proc/${String(pid)}/task/${String(pid)}/schedstat`;
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[1]) / 1e6 : Number.NaN;
}

function latencyOf(times: readonly number[]): Latency {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** The latencies of each of its actions, of which there may have been none. */
function latenciesOf(times: Partial<Record<Deed, readonly number[]>>): Record<Deed, Latency> {
  const all = DEEDS.map((deed) => [deed, latencyOf(times[deed] ?? [])]);
  return Object.fromEntries(all) as Record<Deed, Latency>;
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
    return {
      attack,
      latency: latenciesOf({}),
      memory: 1,
      longestStopMs: Number.NaN,
      withoutCore: Number.NaN,
      failures: [(error as Error).message],
    };
  }
  const pid = hub.program.child.pid!;
  await hub.state();
  const before = memoryOf(pid);
  let peak = before;
  const sampling = setInterval(() => {
    if (!hub.program.ended) peak = Math.max(peak, memoryOf(pid));
  }, SAMPLE_MEMORY_MS);
  const began = { waited: waitedMs(pid), at: performance.now() };
  await honest.call('begin', null);
  const attacker = new Attacker(hub.port, `127.0.1.${String(number)}`, seconds);
  try {
    await attack.run(attacker);
  } catch (error) {
    failures.push((error as Error).message);
  }
  const noticed = await honest.call('end', null);
  clearInterval(sampling);
  const waited = hub.program.ended ? Number.NaN : waitedMs(pid) - began.waited;
  const withoutCore = waited / (performance.now() - began.at);
  await attacker.end();
  failures.push(...new Set(noticed.failures));
  if (hub.program.ended) failures.push(`the hub ended:\n${hub.program.output}`);
  const longestStopMs = hub.program.ended ? Number.NaN : (await hub.state()).longestStopMs;
  // Clears away what the attacker left before the next measurement.
  await pause(200);
  const latency = latenciesOf(noticed.times);
  return { attack, latency, memory: peak / before, longestStopMs, withoutCore, failures };
}

/** All failures, including latencies; empty if there are none. */
export function missesOf({ latency, memory, failures }: Result): string[] {
  const slow = DEEDS.filter((deed) => !(latency[deed].p99 <= MAX_P99_MS)).map((deed) => `${deed} is late`);
  return [...failures, ...slow, ...(memory <= MAX_MEMORY_RATIO ? [] : ['too much memory'])];
}
