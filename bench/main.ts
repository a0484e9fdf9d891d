/** Measures the hub against minimal baselines: `npm run bench -- --help`. */
import { Command } from 'commander';
import { FAMILIES, LONGEST_STOP, ON_REQUEST } from './families.js';
import type { Family } from './part.js';
import { against } from './parts/against.js';
import { listText, toJson, toText } from './report.js';
import { BenchRun, measure } from './run.js';

interface Options {
  json?: true;
  list?: true;
  quick?: true;
  against?: string;
}

/**
 * The parts that words select: each by its name or a prefix of it; without words, all default parts. Throws for an unknown word.
 */
function partsFor(families: readonly Family[], words: readonly string[]): Set<string> {
  const isAsked = words.length > 0 && !words.includes(LONGEST_STOP.name);
  const names = families
    .filter((family) => isAsked || !ON_REQUEST.includes(family))
    .flatMap(({ parts }) => parts.map(({ name }) => name));
  if (!isAsked) return new Set(names);
  return new Set(
    words.flatMap((word) => {
      const found = names.includes(word) ? [word] : names.filter((name) => name.startsWith(word));
      if (found.length > 0) return found;
      throw new Error(`there is no part ${word}; there are ${[...names, LONGEST_STOP.name].join(', ')}`);
    }),
  );
}

async function run(words: string[], options: Options): Promise<void> {
  if (options.list === true) {
    process.stdout.write(`${listText()}\n`);
    return;
  }
  const families = options.against === undefined ? [...FAMILIES, ...ON_REQUEST] : [against(options.against)];
  const wanted = partsFor(families, words);
  wanted.add(LONGEST_STOP.name);
  const bench = new BenchRun(options.quick === true);
  process.once('exit', () => bench.clear());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const result = await measure(bench, families, wanted);
  bench.clear();
  process.stdout.write(`${options.json === true ? toJson(families, result) : toText(families, result)}\n`);
  if (result.failures.length > 0) process.exitCode = 1;
}

const program = new Command('npm run bench --')
  .description(
    'Measures the hub against baselines in the same run and shows the ratios. Answers are checked: a wrong or missing ' +
      'one makes the run fail; a missed target does not.',
  )
  .argument('[part...]', 'what to measure, by name or by the beginning of a name; all without')
  .option(
    '--against <url>',
    'compare the REST interface with that of another server, e.g. http://localhost:7466',
  )
  .option('--json', 'write the result as JSON')
  .option('--list', 'say what can be measured')
  .option('--quick', 'a tenth of all sizes and times, only to see that everything works')
  .action(run);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}
