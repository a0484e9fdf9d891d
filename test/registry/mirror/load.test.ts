import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import Database from 'better-sqlite3';
import { loadMirror } from '../../../src/registry/mirror/reading/load.js';
import {
  advertisementOf,
  identityOf,
  load,
  loadFile,
  openMirror,
  T0,
  temporaryFolder,
  TestLog,
} from './support.js';
import { advertised, bound, withdrawn } from '../../support/data/entries.js';

function createFile(path: string, ...statements: string[]): void {
  const db = new Database(path);
  for (const statement of statements) db.exec(statement);
  db.close();
}

const OLDEST_TABLE = `CREATE TABLE advertisements (
  provider_id TEXT PRIMARY KEY, ip_address TEXT NOT NULL, country TEXT NOT NULL, resources TEXT NOT NULL,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)`;

const LATER_TABLE = `CREATE TABLE advertisements (
  provider_id VARCHAR NOT NULL, ip_address VARCHAR NOT NULL, country VARCHAR NOT NULL, platform VARCHAR,
  resources JSON NOT NULL, pricing JSON, created_at DATETIME, updated_at DATETIME, PRIMARY KEY (provider_id))`;

test('gives back all that was written', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const payload = Buffer.from('{"name":"Zoë – ☕ \\u0000"}');
  const full = advertisementOf('full', {
    platform: 'x86_64',
    resources: { cpu: 1, memory: 2, storage: 3, gpu: 0 },
    pricing: { usd_per_core_month: 0.1, note: 'net, "quoted"' },
    name: 'Zoë – ☕',
    paymentsNetwork: 'holesky',
    attributes: null,
    endpoint: null,
    createdAt: T0 - 86_400_001,
    updatedAt: T0 + 1,
    proof: { publicKey: '0a'.repeat(32), t: T0, payload, signature: 'cd'.repeat(64) },
    attached: true,
  });
  const notText = advertisementOf('not-text', {
    proof: {
      publicKey: '0a'.repeat(32),
      t: 0,
      payload: Uint8Array.of(0xff, 0, 0xc3, 0x28),
      signature: 'cd'.repeat(64),
    },
  });
  const plain = advertisementOf('plain');
  const mirror = await openMirror(path);
  await mirror.propose(advertised(full, identityOf('full', { lastT: 7, seenAt: 9 })));
  await mirror.propose(advertised(notText));
  await mirror.propose(advertised(plain));
  await mirror.propose(bound(identityOf('alone')));
  await mirror.close();

  const { advertisements, identities, loaded } = await loadFile(path);
  assert.equal(loaded.movedAside, null);
  assert.equal(loaded.skippedRows, 0);
  assert.deepEqual(advertisements.get('full'), { ...full, proof: { ...full.proof, payload } });
  const bytes = advertisements.get('not-text')?.proof?.payload;
  assert.deepEqual(bytes && [...Buffer.from(bytes)], [0xff, 0, 0xc3, 0x28]);
  assert.deepEqual(advertisements.get('plain'), plain);
  assert.deepEqual(identities.get('full'), identityOf('full', { lastT: 7, seenAt: 9 }));
  assert.deepEqual([...identities.keys()].sort(), ['alone', 'full']);
});

test('migrates the first generation without platform and pricing', async (t) => {
  const path = join(temporaryFolder(t), 'old.db');
  createFile(
    path,
    OLDEST_TABLE,
    `INSERT INTO advertisements VALUES ('p', '192.168.1.100', 'SE', '{"cpu": 4, "memory": 8, "storage": 40}',
      '2025-02-20 15:00:00.123456', '2025-02-20 15:01:00')`,
    `INSERT INTO advertisements (provider_id, ip_address, country, resources) VALUES ('q', '::1', 'se', '{"cpu":1}')`,
  );
  const { advertisements, loaded } = await loadFile(path);
  assert.equal(loaded.movedAside, null);
  assert.deepEqual(
    advertisements.get('p'),
    advertisementOf('p', {
      ipAddress: '192.168.1.100',
      createdAt: T0,
      updatedAt: Date.UTC(2025, 1, 20, 15, 1),
    }),
  );
  assert.ok(Math.abs((advertisements.get('q')?.updatedAt ?? 0) - Date.now()) < 60_000);

  const mirror = await openMirror(path);
  await mirror.propose(advertised(advertisementOf('p', { platform: 'arm64' })));
  await mirror.close();
  assert.equal((await loadFile(path)).advertisements.get('p')?.platform, 'arm64');
});

test('migrates the first generation with platform and pricing, and leaves other tables alone', async (t) => {
  const path = join(temporaryFolder(t), 'old.db');
  createFile(
    path,
    LATER_TABLE,
    'CREATE INDEX ix_advertisements_country ON advertisements (country)',
    `CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)`,
    `INSERT INTO alembic_version VALUES ('3f1c')`,
    `INSERT INTO advertisements VALUES ('p', '203.0.113.7', 'SE', 'x86_64', '{"cpu": 4, "memory": 8, "storage": 40}',
      '{"usd_per_core_month": 4.5}', '2025-02-20 15:00:00.123456', '2025-02-20 15:00:00.123456')`,
    `INSERT INTO advertisements VALUES ('n', '203.0.113.7', 'SE', NULL, '{"cpu": 4, "memory": 8, "storage": 40}',
      'null', '2025-02-20 15:00:00.123456', '2025-02-20 15:00:00.123456')`,
  );
  const { advertisements } = await loadFile(path);
  assert.deepEqual(
    advertisements.get('p'),
    advertisementOf('p', { platform: 'x86_64', pricing: { usd_per_core_month: 4.5 } }),
  );
  assert.deepEqual(advertisements.get('n'), advertisementOf('n'));
  const db = new Database(path, { readonly: true });
  assert.equal(db.prepare('SELECT version_num FROM alembic_version').pluck().get(), '3f1c');
  db.close();
});

test('skips and counts rows that cannot be understood', async (t) => {
  const path = join(temporaryFolder(t), 'old.db');
  const row = (id: string, resources: string, time: string) =>
    `INSERT INTO advertisements VALUES (${id}, '203.0.113.7', 'SE', ${resources}, ${time}, ${time})`;
  const time = `'2025-02-20 15:00:00'`;
  createFile(
    path,
    OLDEST_TABLE,
    row(`'good'`, `'{}'`, time),
    row(`'cut'`, `'{"cpu": 4'`, time),
    row(`'list'`, `'[1]'`, time),
    row(`'null'`, `'null'`, time),
    row(`'blob'`, `x'7b7d'`, time),
    row(`'late'`, `'{}'`, `'soon'`),
    row(`'timeless'`, `'{}'`, 'NULL'),
    row('NULL', `'{}'`, time),
  );
  const log = new TestLog();
  const { advertisements, loaded } = await loadFile(path, log);
  assert.deepEqual([...advertisements.keys()], ['good']);
  assert.equal(loaded.skippedRows, 7);
  assert.match(log.lines.join(), /7 rows .* were skipped/);
});

test('refuses a file of a newer hub and leaves it as it is', async (t) => {
  const path = join(temporaryFolder(t), 'new.db');
  createFile(path, OLDEST_TABLE, 'PRAGMA user_version = 99');
  await assert.rejects(loadFile(path), /new\.db cannot be used.*version 99.*run the newer hub/);
  const db = new Database(path, { readonly: true });
  assert.equal(db.pragma('user_version', { simple: true }), 99);
  db.close();
});

test('holds nothing in memory at the start, and writes to it', async () => {
  const { loaded, advertisements } = await load({ kind: 'memory' });
  assert.equal(advertisements.size, 0);
  const { Mirror } = await import('../../../src/registry/mirror/mirror.js');
  const mirror = await Mirror.open(loaded, new TestLog());
  await mirror.propose(advertised(advertisementOf('p'), identityOf('p')));
  await mirror.propose(withdrawn('p'));
  mirror.purge(['q'], 0);
  await mirror.close();
  assert.equal(mirror.problem, null);
});

/** What the rows of a file say of a binding: the newest of what both tables say. */
async function newestTimes(path: string): Promise<Map<string, number>> {
  const { advertisements, identities } = await loadFile(path);
  const times = new Map<string, number>();
  for (const { providerId, proof } of advertisements.values())
    if (proof !== null) times.set(providerId, proof.t);
  for (const { providerId, lastT } of identities.values())
    times.set(providerId, Math.max(lastT, times.get(providerId) ?? 0));
  return times;
}

test('every binding is told, by its advertisement or by itself, however rows came and went', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  const signed = (id: string, at: number) =>
    advertisementOf(id, {
      proof: { publicKey: 'ab'.repeat(32), t: at, payload: Buffer.from('{}'), signature: 'cd'.repeat(64) },
    });
  const advertise = (id: string, at: number) =>
    mirror.propose(advertised(signed(id, at), identityOf(id, { lastT: at })));
  for (const id of ['a', 'b', 'c', 'd', 'e']) await advertise(id, 1);
  await mirror.propose(withdrawn('b', identityOf('b', { lastT: 2 })));
  await mirror.propose(withdrawn('c', identityOf('c', { lastT: 2 })));
  await advertise('f', 3);
  await advertise('b', 4);
  await advertise('d', 5);
  await mirror.propose(bound(identityOf('e', { lastT: 6 })));
  await mirror.propose(bound(identityOf('g', { lastT: 7 })));
  await mirror.close();
  assert.deepEqual(Object.fromEntries(await newestTimes(path)), { a: 1, b: 4, c: 2, d: 5, e: 6, f: 3, g: 7 });
  const { identities } = await loadFile(path);
  assert.ok(!identities.has('a'), 'its advertisement says the same');
});

test('the binding of a signed advertisement that cannot be understood is kept', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  for (const id of ['cut', 'unsigned', 'good']) {
    const proof = {
      publicKey: 'ab'.repeat(32),
      t: T0,
      payload: Buffer.from('{}'),
      signature: 'cd'.repeat(64),
    };
    await mirror.propose(advertised(advertisementOf(id, { proof }), identityOf(id)));
  }
  await mirror.close();
  createFile(
    path,
    `UPDATE advertisements SET resources = '{"cpu":' WHERE provider_id = 'cut'`,
    `UPDATE advertisements SET signature = NULL WHERE provider_id = 'unsigned'`,
  );
  const { advertisements, identities, loaded } = await loadFile(path);
  assert.deepEqual([...advertisements.keys()].sort(), ['good', 'unsigned']);
  assert.equal(advertisements.get('unsigned')?.proof, null);
  assert.deepEqual([...identities.keys()].sort(), ['cut', 'unsigned']);
  assert.equal(loaded.skippedRows, 1);
});

test('what threads read of a file is what is read without them', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  const proof = { publicKey: 'ab'.repeat(32), t: T0, payload: Buffer.from('{}'), signature: 'cd'.repeat(64) };
  for (const id of ['cut', 'first', 'last'])
    await mirror.propose(advertised(advertisementOf(id, { proof }), identityOf(id, { lastT: T0 + 1 })));
  await mirror.propose(advertised(advertisementOf('unsigned')));
  await mirror.propose(bound(identityOf('alone')));
  await mirror.close();
  createFile(path, `UPDATE advertisements SET resources = '{"cpu":' WHERE provider_id = 'cut'`);
  const here = await loadFile(path);
  assert.equal(here.loaded.skippedRows, 1);
  assert.deepEqual([here.advertisements.size, here.identities.size], [3, 4]);
  // Numbers of rows so far apart that one thread, and two, read them.
  for (const far of [5000, 50_000]) {
    createFile(path, `UPDATE advertisements SET rowid = ${String(far)} WHERE provider_id = 'last'`);
    const { advertisements, identities, loaded } = await loadFile(path);
    assert.equal(loaded.skippedRows, 1);
    assert.deepEqual(advertisements, here.advertisements);
    assert.deepEqual(identities, here.identities);
  }
});

test('a large file is read once, whole, whatever gaps it has', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  const proof = { publicKey: 'ab'.repeat(32), t: T0, payload: Buffer.from('{}'), signature: 'cd'.repeat(64) };
  const ids = Array.from({ length: 24_000 }, (_, index) => `p${String(index)}`);
  await Promise.all(
    ids.map((id, index) =>
      mirror.propose(
        advertised(
          advertisementOf(id, index % 5 === 0 ? {} : { proof }),
          index % 5 === 0 ? null : identityOf(id),
        ),
      ),
    ),
  );
  await mirror.close();
  createFile(path, 'DELETE FROM advertisements WHERE rowid BETWEEN 4000 AND 7000 OR rowid % 11 = 0');
  const db = new Database(path, { readonly: true });
  const expected = db.prepare('SELECT provider_id FROM advertisements').pluck().all() as string[];
  db.close();
  let told = 0;
  const seen: string[] = [];
  await loadMirror(
    { kind: 'file', path },
    {
      clock: () => assert.fail('no hub had it'),
      expect: (advertisements) => {
        told = advertisements;
      },
      copied: () => assert.fail('it is no copy'),
      rows: (batch) => seen.push(...batch.ids),
      advertisement: ({ providerId }) => seen.push(providerId),
      identity: () => undefined,
      count: () => undefined,
      isConsistent: () => true,
      reset: () => assert.fail('it is sound'),
    },
    new TestLog(),
  );
  assert.equal(told, expected.length);
  assert.deepEqual(seen.sort(), expected.sort());
});
