import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Balancer } from '../../src/demo/cluster/balancer.js';
import { until } from '../support/hubs/etcd.js';

interface Hub {
  port: number;
  open: Set<Socket>;
  server: Server;
}

/** A server that says hello to whoever comes; whoever asks for its health gets no answer. */
async function hub(t: TestContext, name: string): Promise<Hub> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
    socket.write(name);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, open, server };
}

test('each connection goes to the hub that has fewest, and past one that is gone', async (t) => {
  const [a, b] = [await hub(t, 'a'), await hub(t, 'b')];
  const balancer = await Balancer.start(0, [a.port, b.port]);
  const clients: Socket[] = [];
  t.after(() => {
    balancer.stop();
    for (const client of clients) client.destroy();
  });
  const dial = async (): Promise<string> => {
    const client = connect(balancer.port, '127.0.0.1');
    client.on('error', () => undefined);
    clients.push(client);
    const [said] = (await once(client, 'data')) as [Buffer];
    return said.toString();
  };
  const first = [await dial(), await dial(), await dial(), await dial()];
  assert.deepEqual(first.sort(), ['a', 'a', 'b', 'b']);
  const lost = clients.map((client) => once(client, 'close'));
  a.server.close();
  for (const socket of a.open) socket.destroy();
  await Promise.race(lost);
  await until(() => balancer.backends[0]!.connections === 0, 'the connections of the hub that is gone');
  assert.deepEqual([await dial(), await dial()], ['b', 'b']);
  assert.equal(balancer.backends[1]!.connections, 4);
});
