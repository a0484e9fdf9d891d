import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratchFolder } from '../process/hub-process.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Makes the assets of a project in a folder. */
const MAKE = `const { makeAssets } = await import(process.argv[1]);
await makeAssets('dist', '');`;

test('a build that ends half-way leaves no assets that a start takes to be complete', (t) => {
  const folder = scratchFolder(t);
  mkdirSync(join(folder, 'dist'));
  for (const needed of ['docs', join('dist', 'client'), join('dist', 'protocol')])
    symlinkSync(join(ROOT, needed), join(folder, needed), 'junction');
  const make = (): Buffer =>
    execFileSync(process.execPath, ['--input-type=module', '-e', MAKE, join(ROOT, 'scripts', 'build.mjs')], {
      cwd: folder,
      stdio: 'pipe',
    });

  // Without the dashboard's sources, all else is made, and then it fails.
  assert.throws(make, /web/);
  assert.equal(existsSync(join(folder, 'dist', 'assets')), false);
});
