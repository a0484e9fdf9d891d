import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examine, type Finding } from '../../src/cli/examination.js';
import { Proxy } from '../client/support/proxy.js';
import { TestHub } from '../support/hubs/test-hub.js';

test('a proxy that refuses WebSockets is named, and that events get through', async () => {
  const hub = await TestHub.start();
  const proxy = await Proxy.start(hub.hub.port);
  proxy.upgrades = 'refuse';
  try {
    const findings: Finding[] = [];
    for await (const finding of examine(proxy.url)) findings.push(finding);
    const { step, outcome, fix } = findings.at(-1)!;
    assert.deepEqual([step, outcome], ['handshake', 'failed']);
    assert.match(fix ?? '', /Only server-sent events get through.* reverse proxy/);
  } finally {
    await proxy.stop();
    await hub.stop();
  }
});
