import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Hub } from '../hub.js';
import type { Bench } from '../part.js';
import { Attacker } from './attacker.js';
import { type Attack, ATTACKS } from './attacks.js';
import { type Deed, DEEDS } from './honest.js';
import { HonestProcess } from './honest-process.js';

/** What one attack came to. */
export interface Result {
  attack: Attack;
  /** Of the honest client, in milliseconds; NaN where it was never served. */
  p99: Readonly<Record<Deed, number>>;
  /** The peak of the hub's memory by what it was before. */
  memory: number;
  longestStopMs: number;
  /** Why the hub failed, whatever the machine; empty where it did not. */
  failures: readonly string[];
}

/** Milliseconds that an honest client may wait for 99 of 100 answers. */
export const MAX_P99_MS = 100;
export const MAX_MEMORY_RATIO = 1.5;

const SAMPLE_MEMORY_MS = 50;
/** Of a client that was never served. */
const NEVER = Object.fromEntries(DEEDS.map((deed) => [deed, Number.NaN])) as Record<Deed, number>;

/** Bytes of memory that a process has; the process has to be there. */
function memoryOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

function p99(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}

/**
 * Attacks a hub, one attack after the other, each from an address of its own and with an honest client at another.
 * @param seconds Of each attack.
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
    // What the attack before has left keeps newcomers out.
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
  // What the attacker left is cleared away before the next one is measured.
  await pause(200);
  const times = Object.fromEntries(DEEDS.map((deed) => [deed, p99(noticed.times[deed])]));
  return { attack, p99: times as Record<Deed, number>, memory: peak / before, longestStopMs, failures };
}

/** What was missed, latencies included; empty where all is as it should be. */
export function missesOf({ p99: times, memory, failures }: Result): string[] {
  const slow = DEEDS.filter((deed) => !(times[deed] <= MAX_P99_MS)).map((deed) => `${deed} is late`);
  return [...failures, ...slow, ...(memory <= MAX_MEMORY_RATIO ? [] : ['too much memory'])];
}
