import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { loadFile, openMirror, temporaryFolder, TestLog } from './support.js';
import { mountTemporary, unmountable } from './tmpfs.js';
import { startWriter } from './writer-process.js';

test('names a folder that is missing, or none', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'folder'));
  assert.throws(
    () => loadFile(join(folder, 'missing', 'hub.db')),
    /the database .*missing.hub\.db cannot be used: the folder .*missing does not exist; create it/,
  );
  assert.throws(() => loadFile(join(folder, 'file', 'hub.db')), /the database .*: .*file is not a folder/);
  assert.throws(
    () => loadFile(join(folder, 'folder')),
    /the database .*folder cannot be used: it is not a regular file/,
  );
});

test('names a read-only disk', { skip: unmountable }, (t) => {
  const disk = mountTemporary(t, '1m');
  const path = join(disk.folder, 'hub.db');
  loadFile(path);
  disk.remount('ro');
  assert.throws(
    () => loadFile(path),
    /the database .*hub\.db cannot be used: the folder .* is not writable; give/,
  );
});

test('names a full disk', { skip: unmountable }, (t) => {
  const disk = mountTemporary(t, '1m');
  const path = join(disk.folder, 'hub.db');
  disk.fill();
  assert.throws(() => loadFile(path), /the disk that holds the database .*hub\.db is full: free some space/);
});

test('two hubs cannot use one file, and a killed one does not hold it', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const other = await startWriter(t, path);
  await other.acknowledged(1);
  assert.throws(() => loadFile(path), /the database .*hub\.db is in use by another process: stop that hub/);
  await other.kill();
  assert.ok(loadFile(path).advertisements.size > 0);
});

test('a hub whose file another one has used since does not start', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const { ObservedMirror } = await import('./support.js');
  const { loaded } = loadFile(path);
  const other = await openMirror(path);
  await other.close();
  await assert.rejects(
    ObservedMirror.open(loaded, new TestLog()),
    /another hub has used the file .* restart this hub/,
  );
});
