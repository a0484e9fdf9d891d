/** Attacks a running hub while measuring honest clients: `npm run attack -- --help`. */
import { Command } from 'commander';
import { seedDatabase } from '../database.js';
import { Hub } from '../hub.js';
import { BenchRun } from '../run.js';
import { ATTACKS } from './attacks.js';
import { DEEDS } from './honest.js';
import { attackHub, type Latency, missesOf, type Result } from './suite.js';

interface Options {
  rows: string;
  seconds: string;
  transport: string;
}

function cellOf({ p50, p99 }: Latency): string {
  return `${p50.toFixed(1)} / ${p99.toFixed(1)}`;
}

function table(results: readonly Result[]): string {
  const lines = results.map((result) => [
    result.attack.name,
    ...DEEDS.map((deed) => cellOf(result.latency[deed])),
    result.memory.toFixed(2),
    result.longestStopMs.toFixed(0),
    (100 * result.withoutCore).toFixed(0),
    missesOf(result).length === 0 ? 'held' : 'missed',
  ]);
  lines.unshift(['p50 / p99 in ms', ...DEEDS, 'memory ×', 'longest stop ms', 'without core %', '']);
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
    .join('\n');
}

async function run(words: string[], { rows, seconds, transport }: Options): Promise<void> {
  const bench = new BenchRun(false);
  process.once('exit', () => bench.clear());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  bench.begin('attack');
  bench.say(`filling a database with ${rows} rows`);
  await seedDatabase(bench, 'attack.db', Number(rows), []);
  // Empty settings stand for the defaults.
  const defaults = { RATE_LIMIT_PER_MINUTE: '', MESSAGES_PER_MINUTE: '', TRANSPORT: transport };
  const hub = await Hub.start(bench, 'attack.db', defaults);
  const wanted = ATTACKS.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  );
  const results = await attackHub(bench, hub, Number(seconds), (text) => bench.say(text), wanted);
  bench.clear();
  process.stdout.write(`${table(results)}\n`);
  for (const result of results) {
    const misses = missesOf(result);
    if (misses.length === 0) continue;
    process.exitCode = 1;
    process.stdout.write(`${result.attack.name} (${result.attack.bound}): ${misses.join('; ')}\n`);
  }
  if (results.length < wanted.length || wanted.length === 0) process.exitCode = 1;
}

await new Command('npm run attack --')
  .description(
    'Attacks a hub with default limits, and measures what an honest client at another address notices. Fails where one ' +
      'waits longer than 100 ms (p99), or memory grows by more than half. Where the hub was often without a core, the machine was ' +
      'busy with other work, and latencies say little. Linux only, for its loopback addresses.',
  )
  .argument('[attack...]', 'attacks whose name has one of the words; all without')
  .option('--rows <number>', 'advertisements in the database', '100000')
  .option('--seconds <number>', 'of each attack, 30 at most', '15')
  .option('--transport <name>', 'uws or node', 'uws')
  .action(run)
  .parseAsync();
