import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RunningProcess } from './hub-process.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGKILL'] as const) {
  test(
    `a hub that npm started ends with npm at ${signal}, of which its shell says nothing`,
    { timeout: 120_000, skip: process.platform === 'win32' ? 'Windows has no such signals' : false },
    async (t) => {
      const npm = new RunningProcess('npm', ['start'], {
        cwd: ROOT,
        env: {
          ...process.env,
          DISCOVERY_HOST: '127.0.0.1',
          DISCOVERY_PORT: '0',
          DISCOVERY_DB_URL: 'sqlite:///:memory:',
          DISCOVERY_DRAIN_SECONDS: '0',
        },
      });
      t.after(() => npm.child.kill('SIGKILL'));
      const [, url] = await npm.wrote(/listening: (http:\/\/127\.0\.0\.1:\d+)/);
      assert.equal(await answers(url!), true);
      // It did so at every start after some changes, and other tests then found no hub to run.
      assert.doesNotMatch(npm.output, /Compiling/, 'nothing is built again that `npm test` has built');
      npm.child.kill(signal);
      // Only once nobody holds its output any more, the hub included.
      await npm.exited;
      assert.equal(await answers(url!), false);
    },
  );
}
