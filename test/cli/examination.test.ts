import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { examine, type Finding } from '../../src/cli/examination.js';
import { Proxy } from '../client/support/proxy.js';
import { scratchFolder } from '../process/hub-process.js';
import { TestHub } from '../support/hubs/test-hub.js';
import { runPiped } from './pseudo-terminal.js';

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

test('a port that closes every connection at once is not reachable: doctor ended without a word', async (t) => {
  const server = createServer((socket) => socket.destroy());
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const command = runPiped(['doctor', url], scratchFolder(t));
  const { code } = await command.exited;
  assert.match(command.output, /reachable/);
  assert.equal(code, 1, command.output);
});
