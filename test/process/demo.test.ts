import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DiscoveryClient, watch } from '../../src/client/node.js';
import { RunningProcess } from './hub-process.js';

const DEMO = fileURLToPath(new URL('../../src/demo/main.js', import.meta.url));
const PROVIDERS = 30;

/** Whether somebody listens there. */
function isReached(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

test(
  'the demo is a hub that only this machine reaches, whose providers say that they are made up, change prices and go',
  { timeout: 120_000 },
  async (t) => {
    const demo = new RunningProcess(
      process.execPath,
      [DEMO, '--port', '0', '--providers', String(PROVIDERS)],
      {
        cwd: tmpdir(),
        // What is set for hubs does not count.
        env: { PATH: process.env['PATH'], DISCOVERY_HOST: '0.0.0.0', DISCOVERY_UNSIGNED: 'nonsense' },
      },
    );
    t.after(() => demo.child.kill('SIGKILL'));
    const [, url] = await demo.wrote(/open (http:\/\/127\.0\.0\.1:\d+) /);
    const port = Number(new URL(url!).port);
    const isElsewhere = await isReached('127.0.0.2', port);
    assert.deepEqual([await isReached('127.0.0.1', port), isElsewhere], [true, false]);
    const found = await new DiscoveryClient(url!).find();
    assert.ok(found.length > PROVIDERS / 2 && found.length <= PROVIDERS, String(found.length));
    assert.ok(found.every(({ attributes }) => attributes?.['demo'] === true));
    assert.ok(found.every(({ ip_address: ip }) => /^(?:203\.0\.113|198\.51\.100|192\.0\.2)\./.test(ip)));
    const missing = new Set(['a price changed', 'somebody went', 'somebody came']);
    const providers = watch(url!);
    await providers.ready;
    const known = new Set(providers.providers.keys());
    for await (const change of providers) {
      const { provider_id: id, pricing } = change.advertisement;
      if (change.type === 'removed') missing.delete('somebody went');
      else if (change.type === 'added' && !known.has(id)) missing.delete('somebody came');
      else if (
        change.type === 'updated' &&
        pricing?.usd_per_core_month !== change.previous.pricing?.usd_per_core_month
      )
        missing.delete('a price changed');
      if (change.type === 'removed') known.delete(id);
      else known.add(id);
      if (missing.size === 0) break;
    }
    await providers.stop();
    demo.child.kill('SIGTERM');
    assert.equal((await demo.exited).code, 0);
  },
);
