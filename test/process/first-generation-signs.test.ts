import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import { noPythonWith, pythonWith } from '../support/hubs/python.js';
import { ADVERTISEMENT, TestHub } from '../support/hubs/test-hub.js';
import { RunningProcess, scratchFolder } from './hub-process.js';

const FOLDER = fileURLToPath(new URL('../../../examples/first-generation/', import.meta.url));
const PYTHON = pythonWith('cryptography');

/** In a folder that is in no repository; there git would leave out files that are not below the current folder. */
function applyDiff(folder: string): void {
  execFileSync('git', ['apply', join(FOLDER, 'sign.diff')], { cwd: folder });
}

/** What to run inside of a folder with the program, to send one withdrawal with its key. */
const WITHDRAW = `import sys, urllib.request
from signing import load_or_create_key, signature
hub, provider_id = sys.argv[1:]
headers = {"X-Provider-ID": provider_id, "X-Provider-Signature": signature(load_or_create_key("key.pem"), "withdraw", provider_id, b"")}
urllib.request.urlopen(urllib.request.Request(hub + "/api/v1/advertisements/" + provider_id, headers=headers, method="DELETE"))
`;

test(
  'a provider of the first generation signs once the diff is applied, keeps its id, and nobody posts for it any more',
  { skip: PYTHON === undefined && noPythonWith('cryptography') },
  async (t) => {
    const folder = scratchFolder(t);
    copyFileSync(join(FOLDER, 'post.py'), join(folder, 'post.py'));
    // The hub's clock stands still, and the provider's is the system's.
    const hub = await TestHub.start({ UNSIGNED: 'accept' });
    t.after(() => hub.stop());
    const post = (): RunningProcess => {
      const args = ['post.py', hub.url, 'provider-1', JSON.stringify({ ...ADVERTISEMENT, name: 'Zoë' })];
      return new RunningProcess(PYTHON!, args, { cwd: folder, env: process.env });
    };
    const verified = async (program: RunningProcess): Promise<boolean> => {
      const [line] = await program.wrote(/^\{.*\}$/m);
      await program.kill();
      const { provider_id: id, verified, name } = JSON.parse(line) as PublishedAdvertisement;
      assert.deepEqual([id, name], ['provider-1', 'Zoë']);
      return verified;
    };
    assert.equal(await verified(post()), false);

    copyFileSync(join(folder, 'post.py'), join(folder, 'unsigned.py'));
    applyDiff(folder);
    assert.equal(await verified(post()), true);
    assert.equal(statSync(join(folder, 'key.pem')).mode & 0o777, 0o600);

    copyFileSync(join(folder, 'unsigned.py'), join(folder, 'post.py'));
    const late = post();
    assert.equal((await late.exited).code, 1);
    assert.match(late.output, /refused with 403: .*AUTH_/);

    const options = { cwd: folder, env: process.env };
    const withdrawal = new RunningProcess(PYTHON!, ['-c', WITHDRAW, hub.url, 'provider-1'], options);
    assert.equal((await withdrawal.exited).code, 0, withdrawal.output);
    assert.deepEqual((await hub.get('/api/v1/advertisements')).body, []);
  },
);

test('the diff fits the program beside it', (t) => {
  const folder = scratchFolder(t);
  copyFileSync(join(FOLDER, 'post.py'), join(folder, 'post.py'));
  applyDiff(folder);
  assert.match(
    readFileSync(join(folder, 'post.py'), 'utf8'),
    /signature\(key, "advertise", provider_id, body\)/,
  );
});
