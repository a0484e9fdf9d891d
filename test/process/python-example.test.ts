import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { watch } from '../../src/client/node.js';
import { noPythonWith, pythonWith } from '../support/hubs/python.js';
import { TestHub } from '../support/hubs/test-hub.js';
import { RunningProcess, scratchFolder } from './hub-process.js';

const PROGRAM = fileURLToPath(new URL('../../../examples/python-provider/provider.py', import.meta.url));
const ADVERTISEMENT = {
  ip_address: '203.0.113.7',
  country: 'SE',
  resources: { cpu: 4, memory: 8, storage: 40 },
};

const PACKAGES = ['cryptography', 'websockets'];
const PYTHON = pythonWith(...PACKAGES);

test(
  'a provider in Python holds a session, keeps its key, and ends where the hub refuses it',
  {
    skip: PYTHON === undefined && noPythonWith(...PACKAGES),
  },
  async (t) => {
    assert.ok(readFileSync(PROGRAM, 'utf8').split('\n').length <= 81, 'it has at most 80 lines');
    const folder = scratchFolder(t);
    const hub = await TestHub.start();
    t.after(() => hub.stop());
    const run = (advertisement: object): RunningProcess => {
      const url = hub.url.replace('http', 'ws');
      const args = [PROGRAM, url, 'key.pem', JSON.stringify(advertisement)];
      return new RunningProcess(PYTHON!, args, { cwd: folder, env: process.env });
    };
    const matches = watch(hub.url);
    t.after(() => matches.stop());
    const changes = matches[Symbol.asyncIterator]();

    const first = run(ADVERTISEMENT);
    const added = (await changes.next()).value!;
    assert.equal(added.type, 'added');
    const { provider_id: id, status, verified } = added.advertisement;
    assert.deepEqual([status, verified], ['live', true]);
    assert.equal(statSync(join(folder, 'key.pem')).mode & 0o777, 0o600);
    await first.kill();
    assert.equal((await changes.next()).value!.advertisement.status, 'suspect');

    const second = run({ ...ADVERTISEMENT, country: 'XX' });
    const { code } = await second.exited;
    assert.equal(code, 1);
    assert.match(second.output, /refused: ADV_001 country: /);
    const third = run({ ...ADVERTISEMENT, country: 'NO' });
    // It comes back live, and then says what is new.
    let last = (await changes.next()).value!.advertisement;
    while (last.country !== 'NO') last = (await changes.next()).value!.advertisement;
    assert.deepEqual([last.provider_id, last.status], [id, 'live']);
    await third.kill();
  },
);
