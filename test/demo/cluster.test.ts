import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RunningProcess, scratchFolder } from '../process/hub-process.js';

const CLUSTER = fileURLToPath(new URL('../../src/demo/cluster/main.js', import.meta.url));

test('the cluster starts nothing where one of its ports is in use, and says which', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const cluster = new RunningProcess(process.execPath, [CLUSTER, '--port', String(port - 1)], {
    cwd: scratchFolder(t),
    // It would start this.
    env: { ETCD: process.execPath },
  });
  const [, first] = await cluster.wrote(/port (\d+) is in use/);
  assert.ok([port - 1, port].includes(Number(first)), cluster.output);
  assert.equal((await cluster.exited).code, 1);
  assert.ok(!cluster.output.includes('are starting'), cluster.output);
});
