import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { type PublishedAdvertisement, watch } from '../../src/client/node.js';
import { nextChange } from '../client/support/wait.js';
import { HubProcess, scratchFolder } from '../process/hub-process.js';
import { TRANSPORTS } from '../support/hubs/test-hub.js';
import { TestSocket } from '../support/clients/test-socket.js';
import { FleetProcess } from './fleet/fleet-process.js';
import { RestWriter } from './rest-writer.js';
import { until } from './until.js';

const OPEN_FILES = 200;
const PROVIDERS = 20;
/** How long the hub's use of the processor is measured. */
const MEASURED_MS = 2000;
const TICKS_A_SECOND = 100;

/** Seconds of processor time that a process has used. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, which is in parentheses, may have blanks; user and system time are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** A connection that asks for nothing. */
class Knock {
  readonly socket: Socket;
  state: 'open' | 'closed' = 'open';

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('error', () => undefined);
    this.socket.once('close', () => (this.state = 'closed'));
    this.socket.resume();
  }
}

/** A subscriber; or the code that the hub closed it with, 1006 when it was not even greeted. */
async function subscribe(hub: HubProcess): Promise<TestSocket | number> {
  let socket: TestSocket;
  try {
    socket = await TestSocket.open(`${hub.url.replace('http', 'ws')}/api/v1/ws`, 'json');
  } catch {
    return 1006;
  }
  socket.send({ type: 'subscribe', id: 1, filter: { country: 'NO' } });
  try {
    await socket.next('subscribed', ['welcome']);
    return socket;
  } catch {
    return socket.closeCode();
  }
}

const skip = process.platform === 'linux' ? false : 'only Linux tells a process its limit';

// They mostly wait.
describe('a hub that may open no more files', { concurrency: true, skip }, () => {
  for (const transport of TRANSPORTS) {
    test(`serves those who are connected, sends the others away, and takes them when there is room again (${transport})`, async (t) => {
      const hub = await HubProcess.start(
        scratchFolder(t),
        { TRANSPORT: transport, HEARTBEAT_SECONDS: '5' },
        { openFiles: OPEN_FILES },
      );
      await hub.wrote(/there is room for only \d+ connections; raise the limit on open files/);
      const fleet = await FleetProcess.start(PROVIDERS);
      t.after(() => fleet.end());
      await fleet.join(hub.port);
      const watcher = watch(hub.url, {});
      t.after(() => watcher.stop());
      await watcher.ready;

      const sockets: TestSocket[] = [];
      for (;;) {
        const socket = await subscribe(hub);
        if (typeof socket === 'number') {
          assert.equal(socket, 4503);
          break;
        }
        sockets.push(socket);
        assert.ok(sockets.length < OPEN_FILES, 'it takes more than it has files for');
      }
      assert.ok(sockets.length > OPEN_FILES / 4, `${sockets.length} were let in`);

      // WebSockets have taken what is theirs, and plain requests still find a place.
      const writer = new RestWriter();
      assert.equal(await writer.post(hub), null);
      assert.equal((await hub.request('GET', '/health')).status, 200);

      // Now all the other places are taken, and the door is knocked at without end.
      const knocks = Array.from({ length: OPEN_FILES }, () => new Knock(hub.port));
      t.after(() => {
        for (const { socket } of knocks) socket.destroy();
      });
      await until('some are sent away', () => knocks.some(({ state }) => state === 'closed'));
      const before = cpuSeconds(hub.child.pid!);
      const from = performance.now();
      const acknowledged = (await fleet.state()).acknowledged;
      while (performance.now() - from < MEASURED_MS) {
        await Promise.all([once(new Knock(hub.port).socket, 'close'), delay(20)]);
      }
      const share = (cpuSeconds(hub.child.pid!) - before) / ((performance.now() - from) / 1000);
      assert.ok(share < 0.4, `it used ${Math.round(share * 100)} % of a processor`);

      const event = nextChange(watcher);
      await fleet.update(PROVIDERS);
      assert.equal((await event).type, 'updated');
      const state = await fleet.state();
      assert.deepEqual([state.live, state.acknowledged], [PROVIDERS, acknowledged + PROVIDERS]);
      for (const socket of sockets) assert.equal(socket.raw.readyState, socket.raw.OPEN);

      for (const { socket } of knocks) socket.destroy();
      for (const socket of sockets.splice(0, sockets.length / 2)) socket.terminate();
      await until('a new one is let in', async () => {
        const socket = await subscribe(hub);
        if (typeof socket !== 'number') socket.terminate();
        return typeof socket !== 'number';
      });
      const metrics = await hub.metrics();
      assert.ok(metrics.value('discovery_connections_refused_total') > 0);
      assert.equal((await hub.request('GET', '/health')).status, 200);
      t.diagnostic(
        `${sockets.length} WebSockets, ${metrics.value('discovery_connections_refused_total')} refused, ${Math.round(share * 100)} % of a processor`,
      );

      const { body } = await hub.request<PublishedAdvertisement[]>('GET', '/api/v1/advertisements');
      assert.equal(body.length, PROVIDERS + 1);
      assert.equal(await hub.stop(), 0);
    });
  }
});
