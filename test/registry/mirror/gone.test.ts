import assert from 'node:assert/strict';
import { copyFileSync, existsSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { advertised } from '../../support/data/entries.js';
import { advertisementOf, loadFile, openMirror, temporaryFolder } from './support.js';

const skip = process.platform === 'win32' ? 'Windows keeps a file that is open' : false;

for (const [what, replaced] of [
  ['removed', false],
  ['replaced by another', true],
] as const) {
  test(
    `a file that is ${what} under a running hub acknowledges nothing more, and says so, until it is back`,
    { skip },
    async (t) => {
      const path = join(temporaryFolder(t), 'hub.db');
      const mirror = await openMirror(path);
      t.after(() => mirror.close());
      await mirror.propose(advertised(advertisementOf('kept')));
      renameSync(path, `${path}.away`);
      if (replaced) copyFileSync(`${path}.away`, path);
      await assert.rejects(mirror.propose(advertised(advertisementOf('lost'))), /removed or replaced/);
      assert.match(mirror.problem ?? '', /hub\.db cannot be used \(it was removed or replaced/);

      if (replaced) rmSync(path);
      renameSync(`${path}.away`, path);
      await mirror.propose(advertised(advertisementOf('later')));
      assert.equal(mirror.problem, null);
      await mirror.close();
      const { advertisements } = await loadFile(path);
      assert.ok(advertisements.has('kept') && advertisements.has('later'));
    },
  );
}

for (const [what, replaced] of [
  ['removed', false],
  ['replaced by an older one', true],
] as const) {
  test(
    `a write-ahead log that is ${what} under a running hub costs nothing acknowledged, whenever the hub is killed`,
    { skip },
    async (t) => {
      const folder = temporaryFolder(t);
      const path = join(folder, 'hub.db');
      const mirror = await openMirror(path);
      t.after(() => mirror.close());
      await mirror.propose(advertised(advertisementOf('before')));
      copyFileSync(`${path}-wal`, join(folder, 'older'));
      await mirror.propose(advertised(advertisementOf('between')));
      rmSync(`${path}-wal`);
      if (replaced) copyFileSync(join(folder, 'older'), `${path}-wal`);
      for (const id of ['first', 'second']) {
        await mirror.propose(advertised(advertisementOf(id)));
        // What a kill would leave.
        const left = join(folder, `${id}.db`);
        copyFileSync(path, left);
        if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${left}-wal`);
        const { advertisements } = await loadFile(left);
        const expected =
          id === 'first' ? ['before', 'between', 'first'] : ['before', 'between', 'first', 'second'];
        assert.deepEqual([...advertisements.keys()].sort(), expected.sort());
      }
      assert.equal(mirror.problem, null);
    },
  );
}

for (const name of ['hub.db', 'hub.db-wal']) {
  test(
    `where ${name} is cut short under a running hub, nothing more is acknowledged: all of it was lost with the hub`,
    { skip },
    async (t) => {
      const folder = temporaryFolder(t);
      const mirror = await openMirror(join(folder, 'hub.db'));
      t.after(() => mirror.close());
      await mirror.propose(advertised(advertisementOf('before')));
      truncateSync(join(folder, name), 0);
      for (const id of ['first', 'second']) {
        await assert.rejects(mirror.propose(advertised(advertisementOf(id))), /was cut short/, id);
        assert.match(mirror.problem ?? '', /was cut short/);
      }
    },
  );
}
