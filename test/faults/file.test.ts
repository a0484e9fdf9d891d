import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { before, describe, type TestContext, test } from 'node:test';
import Database from 'better-sqlite3';
import { HubProcess, scratchFolder } from '../process/hub-process.js';
import { mountTemporary, unmountable } from '../registry/mirror/tmpfs.js';
import { PROGRAM } from '../support/hubs/program.js';
import { list, RemoteProvider } from './remote.js';

const PAGE = 4096;
/** Enough for several pages of each table. */
const ROWS = 100;

type Files = Record<string, Buffer>;

/** All files of a database, by what their names have behind that of the database. */
function filesOf(path: string): Files {
  const suffixes = ['', '-wal', '-shm', '-journal'].filter((suffix) => existsSync(path + suffix));
  return Object.fromEntries(suffixes.map((suffix) => [suffix, readFileSync(path + suffix)]));
}

/** Databases of hubs that have served, one after a proper stop and one after a crash. */
const used: Record<'stop' | 'kill', Files> = { stop: {}, kill: {} };

before(async () => {
  for (const end of ['stop', 'kill'] as const) {
    const folder = mkdtempSync(join(tmpdir(), 'used-'));
    const hub = await HubProcess.start(folder);
    const posts = Array.from({ length: ROWS }, () => new RemoteProvider().post(hub));
    for (const { status } of await Promise.all(posts)) assert.equal(status, 200);
    await hub[end]();
    used[end] = filesOf(join(folder, 'hub.db'));
    rmSync(folder, { recursive: true });
  }
});

/** A folder with a copy of such a database. */
function usedFolder(t: TestContext, end: 'stop' | 'kill'): { folder: string; path: string } {
  const folder = scratchFolder(t);
  const path = join(folder, 'hub.db');
  for (const [suffix, bytes] of Object.entries(used[end])) writeFileSync(path + suffix, bytes);
  return { folder, path };
}

/** The database and its log are as they were; where there was no log, there may be an empty one. */
function assertKept(files: Files, before: Files): void {
  const { '': database, '-wal': log = Buffer.alloc(0) } = before;
  assert.deepEqual([files[''], files['-wal'] ?? Buffer.alloc(0)], [database, log]);
}

/** A hub starts empty, says where it has put the file, which is as it was, and works. */
async function expectMovedAside(folder: string, path: string): Promise<void> {
  const damaged = filesOf(path);
  const hub = await HubProcess.start(folder);
  const [, moved = ''] = await hub.wrote(
    /the database \S*hub\.db cannot be read .* it was moved to (\S+), and the hub starts empty/,
  );
  assertKept(filesOf(join(folder, moved)), damaged);
  assert.deepEqual(await list(hub), []);
  assert.equal((await new RemoteProvider().post(hub)).status, 200);
  assert.equal(await hub.stop(), 0);
  assertKept(filesOf(join(folder, moved)), damaged);
}

describe('a database that is damaged', { concurrency: 2 }, () => {
  test('in its middle, is moved aside', async (t) => {
    const { folder, path } = usedFolder(t, 'stop');
    const bytes = readFileSync(path);
    const middle = Math.floor(bytes.length / PAGE / 2) * PAGE;
    randomBytes(4 * PAGE).copy(bytes, middle);
    writeFileSync(path, bytes);
    await expectMovedAside(folder, path);
  });

  test('by a cut, is moved aside', async (t) => {
    const { folder, path } = usedFolder(t, 'stop');
    truncateSync(path, readFileSync(path).length - 5 * PAGE - 100);
    await expectMovedAside(folder, path);
  });

  test('by a cut, after a crash, is moved aside with its log', async (t) => {
    const { folder, path } = usedFolder(t, 'kill');
    truncateSync(path, PAGE + 100);
    await expectMovedAside(folder, path);
  });

  test('in its log alone, has what was written before the damage', async (t) => {
    const { folder, path } = usedFolder(t, 'kill');
    const log = readFileSync(`${path}-wal`);
    randomBytes(PAGE).copy(log, Math.floor(log.length / 2));
    writeFileSync(`${path}-wal`, log);
    const hub = await HubProcess.start(folder);
    assert.ok((await list(hub)).length <= ROWS);
    assert.equal((await new RemoteProvider().post(hub)).status, 200);
    assert.equal(await hub.stop(), 0);
  });

  test('by the log of another one, is read or moved aside, and neither loses a byte', async (t) => {
    const mine = usedFolder(t, 'stop');
    writeFileSync(`${mine.path}-wal`, used.kill['-wal']!);
    const before = filesOf(mine.path);
    const hub = await HubProcess.start(mine.folder);
    const moved = readdirSync(mine.folder).find((name) => /unreadable-\w+$/.test(name));
    t.diagnostic(moved === undefined ? 'it was read' : 'it was moved aside');
    if (moved !== undefined) {
      assertKept(filesOf(join(mine.folder, moved)), before);
      assert.match(hub.output, /cannot be read .* starts empty/);
    }
    assert.equal((await new RemoteProvider().post(hub)).status, 200);
    assert.equal(await hub.stop(), 0);
  });
});

/** How a start ends that has to fail. */
async function refusedStart(hub: HubProcess, message: RegExp): Promise<void> {
  assert.equal((await hub.exited).code, 1, hub.output);
  assert.match(hub.output, message);
}

test('a database that another program has locked is not touched, and named with what to do', async (t) => {
  const { folder, path } = usedFolder(t, 'stop');
  const other = new Database(path);
  other.exec('BEGIN IMMEDIATE');
  await refusedStart(
    HubProcess.spawn(folder),
    /the database hub\.db is in use by another process: stop that hub or tool, or set DISCOVERY_DB_URL to another file/,
  );
  other.close();
  const hub = await HubProcess.start(folder);
  assert.equal((await list(hub)).length, ROWS);
  assert.equal(await hub.stop(), 0);
});

/** Nothing can be made in a folder while a hub tries to start there; what the start has to say. */
async function refusedInReadOnly(folder: string, message: RegExp): Promise<void> {
  chmodSync(folder, 0o555);
  try {
    await refusedStart(HubProcess.spawn(folder, {}, asUser), message);
  } finally {
    chmodSync(folder, 0o755);
  }
}

/** A user whom permissions stop, for tests that root runs: `nobody`, if that one can read the hub's program. */
const NOBODY = 65_534;

function findWhyNobodyCannotRun(): string | false {
  if (process.getuid === undefined) return 'permissions are another matter on Windows';
  if (process.getuid() !== 0) return false;
  const { status } = spawnSync(process.execPath, [PROGRAM, '--version'], {
    uid: NOBODY,
    gid: NOBODY,
    cwd: '/',
  });
  return status === 0
    ? false
    : 'this is root, whom permissions do not stop, and no other user can read the program';
}

const unpermitted = findWhyNobodyCannotRun();
const asUser = process.getuid?.() === 0 ? { uid: NOBODY } : {};

test('a folder that the hub may not write to is named, with what to do', { skip: unpermitted }, async (t) => {
  await refusedInReadOnly(
    scratchFolder(t),
    /the database hub\.db cannot be used: the folder \S+ is not writable; give the hub's user the right to write there/,
  );
});

test(
  'a file that the hub may not write to is named, with what to do, and left as it is',
  { skip: unpermitted },
  async (t) => {
    const { folder, path } = usedFolder(t, 'stop');
    chmodSync(folder, 0o777);
    chmodSync(path, 0o444);
    const before = readFileSync(path);
    await refusedStart(
      HubProcess.spawn(folder, {}, asUser),
      /the database hub\.db cannot be used: the file is not readable and writable; give the hub's user the right to both/,
    );
    assert.deepEqual(readFileSync(path), before);
  },
);

test('a file in a folder that the hub may not write to is no use', { skip: unpermitted }, async (t) => {
  const { folder, path } = usedFolder(t, 'stop');
  chmodSync(path, 0o666);
  await refusedInReadOnly(folder, /the folder \S+ is not writable/);
});

test(
  'a disk that is read-only is named, and the database is there again when it is not',
  { skip: unmountable },
  async (t) => {
    const disk = mountTemporary(t, '2m');
    const path = join(disk.folder, 'hub.db');
    writeFileSync(path, used.stop['']!);
    const settings = { DB_URL: `sqlite:///${path}` };
    disk.remount('ro');
    await refusedStart(
      HubProcess.spawn(scratchFolder(t), settings),
      /hub\.db cannot be used: the folder .* is not writable/,
    );
    disk.remount('rw');
    const again = await HubProcess.start(scratchFolder(t), settings);
    assert.equal((await list(again)).length, ROWS);
    assert.equal(await again.stop(), 0);
  },
);
