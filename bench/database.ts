import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Query } from './data/queries.js';
import type { Bench } from './part.js';
import { Program } from './processes.js';

/**
 * Creates a database with the first `count` providers, as a hub would leave it.
 * @param queries Evaluated on the way by testing every provider against every filter.
 * @returns For each query, the numbers of the providers in its answer, in order.
 */
export async function seedDatabase(
  bench: Bench,
  file: string,
  count: number,
  queries: readonly Query[],
): Promise<number[][]> {
  const queriesFile = join(bench.folder, `${file}.queries.json`);
  const answersFile = join(bench.folder, `${file}.answers.json`);
  writeFileSync(queriesFile, JSON.stringify(queries));
  const args = [join(bench.folder, file), String(count), queriesFile, answersFile];
  await new Program(bench, 'filling the database', './data/seed.js', args).finished(120_000);
  return JSON.parse(readFileSync(answersFile, 'utf8')) as number[][];
}
