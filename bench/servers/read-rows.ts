/** The minimum of a start, only reading rows: `read-rows.js <file>` reads all of both tables. */
import Database from 'better-sqlite3';
import { ADVERTISEMENT_COLUMNS, IDENTITY_COLUMNS } from '../../src/registry/mirror/rows.js';

const db = new Database(process.argv[2], { fileMustExist: true });
let rows = 0;
for (const [table, columns] of [
  ['identities', IDENTITY_COLUMNS],
  ['advertisements', ADVERTISEMENT_COLUMNS],
] as const) {
  const statement = db.prepare(`SELECT ${columns.join(', ')} FROM ${table}`).raw();
  for (const _ of statement.iterate()) rows += 1;
}
db.close();
process.stdout.write(`rows ${String(rows)}\n`);
