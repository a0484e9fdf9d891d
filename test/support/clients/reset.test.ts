import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test from 'node:test';
import { reset } from '../../../bench/load/sockets.js';

test('a reset socket is always closed: one whose end was on the way stayed open, and its process span at its end', async (t) => {
  const server = createServer((peer) => peer.on('error', () => undefined));
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const states: [name: string, prepare: (socket: Socket) => Promise<unknown>][] = [
    ['connecting', () => Promise.resolve()],
    ['connected', (socket) => once(socket, 'connect')],
    ['ending', (socket) => once(socket, 'connect').then(() => socket.end())],
    ['ended', (socket) => once(socket, 'connect').then(() => once(socket.end(), 'finish'))],
    ['destroyed', (socket) => once(socket.destroy(), 'close')],
  ];
  for (const [name, prepare] of states) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const closed = once(socket, 'close');
    await prepare(socket);
    reset(socket);
    await closed;
    assert.equal(socket.destroyed, true, name);
  }
});
