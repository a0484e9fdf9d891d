import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { loadFile, openMirror, temporaryFolder, TestLog } from './support.js';
import { mountTemporary, unmountable } from './tmpfs.js';
import { startWriter } from './writer-process.js';

test('names a folder that is missing, or none', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'folder'));
  await assert.rejects(
    loadFile(join(folder, 'missing', 'hub.db')),
    /the database .*missing.hub\.db cannot be used: the folder .*missing does not exist; create it/,
  );
  await assert.rejects(loadFile(join(folder, 'file', 'hub.db')), /the database .*: .*file is not a folder/);
  await assert.rejects(
    loadFile(join(folder, 'folder')),
    /the database .*folder cannot be used: it is not a regular file/,
  );
});

test('names a read-only disk', { skip: unmountable }, async (t) => {
  const disk = mountTemporary(t, '1m');
  const path = join(disk.folder, 'hub.db');
  await loadFile(path);
  disk.remount('ro');
  await assert.rejects(
    loadFile(path),
    /the database .*hub\.db cannot be used: the folder .* is not writable; give/,
  );
});

test(
  'names a full disk, with a new database and with one that is there',
  { skip: unmountable },
  async (t) => {
    const disk = mountTemporary(t, '1m');
    const path = join(disk.folder, 'hub.db');
    disk.fill();
    await assert.rejects(
      loadFile(path),
      /the disk that holds the database .*hub\.db is full: free some space/,
    );
    disk.free();
    await loadFile(path);
    disk.fill();
    await assert.rejects(
      loadFile(path),
      /the disk that holds the database .*hub\.db is full: free some space/,
    );
  },
);

test('two hubs cannot use one file, and a killed one does not hold it', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const other = await startWriter(t, path);
  await other.acknowledged(1);
  await assert.rejects(loadFile(path), /the database .*hub\.db is in use by another process: stop that hub/);
  await other.kill();
  assert.ok((await loadFile(path)).advertisements.size > 0);
});

test('a hub whose file another one has used since does not start', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const { ObservedMirror } = await import('./support.js');
  const { loaded } = await loadFile(path);
  const other = await openMirror(path);
  await other.close();
  await assert.rejects(
    ObservedMirror.open(loaded, new TestLog()),
    /another hub has used the file .* restart this hub/,
  );
});
