import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import Database from 'better-sqlite3';
import { loadMirror } from '../../../src/registry/mirror/reading/load.js';
import { advertisementOf, identityOf, loadFile, openMirror, temporaryFolder, TestLog } from './support.js';
import { rounds } from '../../support/rounds.js';
import { advertised } from '../../support/data/entries.js';

const ROWS = 2000;
const PAGE = 4096;

async function writeGoodFile(path: string): Promise<void> {
  const mirror = await openMirror(path);
  await Promise.all(
    Array.from({ length: ROWS }, (_, i) =>
      mirror.propose(advertised(advertisementOf(`p${String(i)}`), identityOf(`p${String(i)}`))),
    ),
  );
  await mirror.close();
}

/** Loads, expects that the file was moved aside unchanged, and that a fresh one works. */
async function expectMovedAside(path: string): Promise<string> {
  const before = readFileSync(path);
  const log = new TestLog();
  const { loaded, advertisements, identities } = await loadFile(path, log);
  assert.ok(loaded.movedAside, 'was not moved aside');
  assert.match(loaded.movedAside.slice(path.length), /^\.unreadable-\d{8}T\d{6}Z$/);
  assert.match(log.lines.join(), /cannot be read .* moved to .* starts empty/);
  assert.deepEqual(readFileSync(loaded.movedAside), before);
  assert.equal(advertisements.size + identities.size, 0);

  const mirror = await openMirror(path);
  await mirror.propose(advertised(advertisementOf('new')));
  await mirror.close();
  assert.deepEqual([...(await loadFile(path)).advertisements.keys()], ['new']);
  assert.ok(existsSync(loaded.movedAside));
  return loaded.movedAside;
}

test('random bytes are moved aside, with the companions of the file', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  writeFileSync(path, randomBytes(20_000));
  writeFileSync(`${path}-wal`, 'a log');
  writeFileSync(`${path}-shm`, 'shared memory');
  const target = await expectMovedAside(path);
  assert.equal(readFileSync(`${target}-wal`, 'utf8'), 'a log');
  assert.equal(readFileSync(`${target}-shm`, 'utf8'), 'shared memory');
});

test('a text is moved aside, and a second one beside it', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'hub.db');
  for (const text of ['first', 'second']) {
    writeFileSync(path, text);
    const { loaded } = await loadFile(path);
    assert.equal(loaded.movedAside && readFileSync(loaded.movedAside, 'utf8'), text);
  }
  assert.equal(readdirSync(folder).filter((name) => name.includes('unreadable')).length, 2);
});

test('a truncated file is moved aside', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  await writeGoodFile(path);
  truncateSync(path, 100_000);
  await expectMovedAside(path);
});

test('garbage in the middle is found before anything counts', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  await writeGoodFile(path);
  const bytes = readFileSync(path);
  const pages = bytes.length / PAGE;
  let tried = 0;
  let moved = 0;
  for (let page = 1; page < pages; page += Math.ceil(14 / rounds(1))) {
    tried += 1;
    const folder = temporaryFolder(t);
    const copy = join(folder, 'hub.db');
    const damaged = Buffer.from(bytes);
    randomBytes(PAGE).copy(damaged, page * PAGE);
    writeFileSync(copy, damaged);
    const { loaded, advertisements, identities } = await loadFile(copy);
    if (loaded.movedAside === null) continue;
    moved += 1;
    assert.equal(advertisements.size + identities.size, 0);
  }
  // Every page of this file is in use; bytes that happen to make sense to SQLite are rare.
  assert.ok(moved >= 0.95 * tried, `only ${String(moved)} of ${String(tried)} damaged pages were noticed`);
});

test('damage that no reading of rows would show is found too', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  await writeGoodFile(path);
  const bytes = readFileSync(path);
  const FIRST_FREE_PAGE = 32;
  const FREE_PAGES = 36;
  bytes.writeUInt32BE(bytes.length / PAGE, FIRST_FREE_PAGE);
  bytes.writeUInt32BE(1, FREE_PAGES);
  writeFileSync(path, bytes);
  await expectMovedAside(path);
});

test('an index that has let a provider in twice is found, before it is listed twice', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  await mirror.propose(advertised(advertisementOf('provider-b')));
  await mirror.close();
  const bytes = readFileSync(path);
  // One letter, which leaves all that SQLite checks at a start as it should be.
  const INDEX_LEAF = 10;
  for (let page = 0; page < bytes.length; page += PAGE) {
    const at = bytes.subarray(page, page + PAGE).indexOf('provider-b');
    if (bytes[page] === INDEX_LEAF && at >= 0) bytes.write('provider-x', page + at);
  }
  writeFileSync(path, bytes);
  const again = await openMirror(path);
  await again.propose(advertised(advertisementOf('provider-b')));
  await again.close();
  await expectMovedAside(path);
});

test('a value of the wrong kind is no damage', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const db = new Database(path);
  db.exec(`CREATE TABLE advertisements (
    provider_id TEXT PRIMARY KEY, ip_address TEXT, country TEXT, resources TEXT, created_at TEXT, updated_at TEXT)`);
  db.exec("INSERT INTO advertisements (provider_id, country, resources) VALUES ('p', 'SE', '{}')");
  db.unsafeMode().pragma('writable_schema = ON');
  db.exec("UPDATE sqlite_schema SET sql = replace(sql, 'ip_address TEXT', 'ip_address TEXT NOT NULL')");
  db.close();
  const reopened = new Database(path);
  const finding = reopened.pragma('quick_check', { simple: true });
  reopened.close();
  assert.equal(finding, 'NULL value in advertisements.ip_address');
  const { loaded } = await loadFile(path);
  assert.equal(loaded.movedAside, null);
  assert.equal(loaded.skippedRows, 1);
});

test('rows that came before an error are taken back', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  await writeGoodFile(path);
  const before = (await loadFile(path)).advertisements.size;
  let rows = 0;
  let resets = 0;
  const sink = {
    clock: () => undefined,
    expect: () => undefined,
    identity: () => undefined,
    count: () => undefined,
    rows: () => undefined,
    advertisement() {
      rows += 1;
      // Stands for a disk that gives other bytes the second time.
      if (rows === before / 2)
        throw new Database.SqliteError('database disk image is malformed', 'SQLITE_CORRUPT');
    },
    copied: () => undefined,
    isConsistent: () => true,
    reset() {
      resets += 1;
    },
  };
  const { movedAside } = await loadMirror({ kind: 'file', path }, sink, new TestLog());
  assert.ok(movedAside !== null && existsSync(movedAside));
  assert.deepEqual({ rows, resets }, { rows: before / 2, resets: 1 });
});

test('an empty file is a new database', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  writeFileSync(path, '');
  assert.equal((await loadFile(path)).loaded.movedAside, null);
});
