import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { HubProcess, scratchFolder } from './hub-process.js';

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} closes every socket with 4503 and ends with status 0`, async (t) => {
    const hub = await HubProcess.start(scratchFolder(t));
    const sockets = Array.from(
      { length: 5 },
      () => new WebSocket(`${hub.url.replace('http', 'ws')}/api/v1/ws`),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'message')));
    const closes = Promise.all(sockets.map((socket) => once(socket, 'close')));
    assert.equal(await hub.stop(signal), 0);
    assert.deepEqual(
      (await closes).map(([code]) => code as number),
      [4503, 4503, 4503, 4503, 4503],
    );
    assert.match(hub.output, /"msg":"stopped"/);
  });
}

test('SIGTERM is heeded while the hub starts, also by the first process of a container, which gets only signals that it handles', async (t) => {
  const whenHandled =
    "const look = () => (process.listenerCount('SIGTERM') ? process.kill(process.pid, 'SIGTERM') : setImmediate(look)); look();";
  const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(whenHandled)}`];
  const hub = HubProcess.spawn(scratchFolder(t), {}, { nodeArgs });
  assert.deepEqual(await hub.exited, { code: 0, signal: null });
  assert.match(hub.output, /stopped before the start was complete/);
  assert.doesNotMatch(hub.output, /the hub is listening/);
});

test('a setting that cannot be used stops the start and is named', async (t) => {
  const hub = HubProcess.spawn(scratchFolder(t), { HEARTBEAT_SECONDS: 'often', UNSIGNED: 'maybe' });
  assert.equal((await hub.exited).code, 78);
  assert.match(hub.output, /DISCOVERY_HEARTBEAT_SECONDS=often: must be a number of seconds/);
  assert.match(hub.output, /DISCOVERY_UNSIGNED=maybe: must be reject or accept/);
});

test('a second hub on the same database is told so and leaves the first alone', async (t) => {
  const folder = scratchFolder(t);
  const first = await HubProcess.start(folder);
  const second = HubProcess.spawn(folder);
  assert.equal((await second.exited).code, 1);
  assert.match(second.output, /hub\.db/);
  assert.equal((await first.request('GET', '/health')).status, 200);
  assert.equal(await first.stop(), 0);
});

test('a port that is taken is named, with what to do', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const hub = HubProcess.spawn(scratchFolder(t), { PORT: String(port) });
  assert.equal((await hub.exited).code, 1);
  assert.match(hub.output, new RegExp(String(port)));
});

test('a database that SQLite cannot read is moved aside, never deleted, and the hub starts empty', async (t) => {
  const folder = scratchFolder(t);
  writeFileSync(join(folder, 'hub.db'), Buffer.alloc(8192, 'this is no database '));
  const hub = await HubProcess.start(folder);
  assert.match(hub.output, /cannot be read.*moved to/);
  assert.ok(readdirSync(folder).some((name) => name.startsWith('hub.db.unreadable-')));
  assert.deepEqual((await hub.request('GET', '/api/v1/advertisements')).body, []);
  assert.equal(await hub.stop(), 0);
});

test('a database folder that does not exist is named at the start', async (t) => {
  const folder = scratchFolder(t);
  mkdirSync(join(folder, 'there'));
  const hub = HubProcess.spawn(folder, { DB_URL: 'sqlite:///nowhere/hub.db' });
  assert.equal((await hub.exited).code, 1);
  assert.match(hub.output, /nowhere/);
});
