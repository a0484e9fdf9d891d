/** Fills a database with providers, in a process of its own: `seed.js <file> <count> <queries> <answers>`. */
import { readFileSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { migrate } from '../../src/registry/mirror/migrations.js';
import { ADVERTISEMENT_COLUMNS } from '../../src/registry/mirror/rows.js';
import { formatTime } from '../../src/registry/mirror/time.js';
import { providerAt, rowOf } from './providers.js';
import { ExpectedAnswer, type Query } from './queries.js';

const [file = '', count = '0', queriesFile = '', answersFile = ''] = process.argv.slice(2);
const answers = (JSON.parse(readFileSync(queriesFile, 'utf8')) as Query[]).map(
  (query) => new ExpectedAnswer(query),
);

const byCountry = new Map<string, ExpectedAnswer[]>();

/** The queries that can match a provider of a country: a third of all, which saves seconds with a million providers. */
function answersFor(country: string): ExpectedAnswer[] {
  const known = byCountry.get(country);
  if (known !== undefined) return known;
  const found = answers.filter(({ query }) => query.country === null || query.country === country);
  byCountry.set(country, found);
  return found;
}

const db = new Database(file);
// Nobody reads the file before it is complete.
db.pragma('journal_mode = OFF');
db.pragma('synchronous = OFF');
db.pragma('cache_size = -400000');
db.pragma('locking_mode = EXCLUSIVE');
migrate(db);
// Plain inserts: the hub's own statement first looks for an existing row, which takes twice as long.
const insert = db.prepare<[readonly unknown[]]>(
  `INSERT INTO advertisements (${ADVERTISEMENT_COLUMNS.join(', ')})
    VALUES (${ADVERTISEMENT_COLUMNS.map(() => '?').join(', ')})`,
);
const CREATED_AT = ADVERTISEMENT_COLUMNS.indexOf('created_at');
const UPDATED_AT = ADVERTISEMENT_COLUMNS.indexOf('updated_at');
const now = Date.now();
/** Times of the last heartbeat, at most a second ago, and of the first, up to a month ago. */
const HEARTBEATS = Array.from({ length: 997 }, (_, at) => formatTime(now - at));
const CREATIONS = Array.from({ length: 1009 }, (_, at) => formatTime(now - 3_600_000 - at * 2_500_000));
/** Time of the signature: up to an hour ago. */
const signedAt = (index: number): number => now - 1000 - ((Math.imul(index, 7919) >>> 0) % 3_599_000);

// One transaction for everything: pages that receive many rows are written once.
db.exec('BEGIN');
for (let index = 0; index < Number(count); index += 1) {
  const provider = providerAt(index);
  for (const answer of answersFor(provider.country)) answer.offer(index, provider);
  const row: unknown[] = rowOf(provider, signedAt(index));
  row[CREATED_AT] = CREATIONS[index % CREATIONS.length];
  row[UPDATED_AT] = HEARTBEATS[index % HEARTBEATS.length];
  insert.run(row);
}
db.exec(`INSERT INTO identities (provider_id, public_key, last_t, seen_at)
  SELECT provider_id, public_key, signed_at, signed_at FROM advertisements ORDER BY rowid`);
db.exec('COMMIT');
db.close();
writeFileSync(answersFile, JSON.stringify(answers.map(({ indexes }) => indexes)));
