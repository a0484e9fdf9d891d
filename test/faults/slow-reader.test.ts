import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PublishedAdvertisement, watch } from '../../src/client/node.js';
import { HubProcess, scratchFolder } from '../process/hub-process.js';
import { TRANSPORTS } from '../support/hubs/test-hub.js';
import { TestSocket } from '../support/clients/test-socket.js';
import { FleetProcess } from './fleet/fleet-process.js';
import { scaled } from '../support/scale.js';
import { until } from './until.js';

const PROVIDERS = 20;
const STREAMS = 60;
const ROUNDS = scaled(4, 20);
const UPDATES = 400;
/** Bytes of an event of one of the updates. */
const EVENT_BYTES = 1800;
/** Bytes that may wait for two readers: what holds events back, and the frames of one flush each. */
const QUEUE_BOUND = 4 * 1024 * 1024;
/** What a process of Node takes now more, now less. */
const NOISE_BYTES = 96 * 1024 * 1024;

/** A requestor with many streams that has read their snapshots and then stops reading. */
async function stopReading(hub: HubProcess): Promise<TestSocket> {
  const socket = await TestSocket.open(`${hub.url.replace('http', 'ws')}/api/v1/ws`, 'json');
  await socket.next('welcome');
  for (let cpu = 1; cpu <= STREAMS; cpu += 1) {
    socket.send({ type: 'subscribe', id: cpu, filter: { cpu } });
    await socket.next('subscribed');
    await socket.next('snapshot');
  }
  socket.raw.pause();
  return socket;
}

for (const transport of TRANSPORTS.slice(0, scaled(1, 2))) {
  test(`subscribers that stop reading cost a bounded amount of memory, and nobody else an event (${transport})`, async (t) => {
    const hub = await HubProcess.start(scratchFolder(t), {
      TRANSPORT: transport,
      MESSAGES_PER_MINUTE: '0',
      REPLAY_EVENTS: '1024',
    });
    const fleet = await FleetProcess.start(PROVIDERS);
    t.after(() => fleet.end());
    await fleet.join(hub.port);
    const watcher = watch(hub.url, {});
    t.after(() => watcher.stop());
    await watcher.ready;
    const losses: string[] = [];
    watcher.on('state', ({ state, error }) => losses.push(`${state} ${String(error)}`));
    const [reader, lost] = [await stopReading(hub), await stopReading(hub)];

    const rss: number[] = [];
    const queued: number[] = [];
    // In small steps, because from here on they are given up in 10 s.
    for (let steps = 0; Math.max(0, ...queued) === 0; steps += 1) {
      assert.ok(steps < 100, 'the system takes all that they do not read');
      await fleet.update(50);
      queued.push((await hub.metrics()).value('discovery_queue_bytes'));
    }
    for (let round = 0; round <= ROUNDS; round += 1) {
      await fleet.update(UPDATES);
      const metrics = await hub.metrics();
      queued.push(metrics.value('discovery_queue_bytes'));
      rss.push(metrics.value('process_resident_memory_bytes'));
    }
    assert.ok(Math.max(...queued) < QUEUE_BOUND, `${queued.join(', ')} bytes wait`);
    // The first round is for what grows once: buffers, compiled code, the log of changes.
    const growth = Math.max(...rss) - rss[0]!;
    const volume = 2 * ROUNDS * UPDATES * STREAMS * EVENT_BYTES;
    assert.ok(volume > 3 * NOISE_BYTES, 'it would show');
    assert.ok(growth < NOISE_BYTES, `${growth} bytes more for ${volume} bytes of events`);

    await until('both are given up', async () => {
      const metrics = await hub.metrics();
      return metrics.value('discovery_connection_closes_total', 'code="4507"') === 2;
    });
    reader.raw.resume();
    // If it had not read on in time, it would have been cut, as the other one is.
    const code = await reader.closeCode();
    assert.ok(code === 4507 || code === 1006, `closed with ${code}`);
    await until('both are gone', async () => {
      const metrics = await hub.metrics();
      return metrics.value('discovery_connections') === PROVIDERS + 1;
    });
    lost.terminate();

    const { body } = await hub.request<PublishedAdvertisement[]>('GET', '/api/v1/advertisements');
    const names = (of: Iterable<PublishedAdvertisement>): string[] => [...of].map(({ name }) => name!).sort();
    await until('the watcher that reads knows the latest', () => {
      return names(watcher.providers.values()).join() === names(body).join();
    });
    assert.deepEqual(losses, [], 'the watcher that reads keeps its connection');
    t.diagnostic(
      `up to ${Math.max(...queued)} bytes waited, ${growth} bytes more memory for ${volume} bytes of events; closed with ${code}`,
    );
    assert.equal(await hub.stop(), 0);
  });
}
