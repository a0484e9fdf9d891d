import assert from 'node:assert/strict';
import { copyFileSync, renameSync, rmSync } from 'node:fs';
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
