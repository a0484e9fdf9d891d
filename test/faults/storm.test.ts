import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PublishedAdvertisement, watch } from '../../src/client/node.js';
import { freePort } from '../client/support/free-port.js';
import { nextChange, reached } from '../client/support/wait.js';
import { HubProcess, scratchFolder } from '../process/hub-process.js';
import { FleetProcess } from './fleet/fleet-process.js';
import { RestWriter } from './rest-writer.js';
import { scaled } from '../support/scale.js';
import { until } from './until.js';

const PROVIDERS = scaled(1000, 15_000);
/** What only the one provider has that is not part of the storm. */
const ALONE = { payments_network: 'calm' };

test(`${PROVIDERS} providers that come back at once after a crash are all live again, and nobody else has to wait for them`, async (t) => {
  const folder = scratchFolder(t);
  const settings = { PORT: await freePort() };
  let hub = await HubProcess.start(folder, settings);
  const fleet = await FleetProcess.start(PROVIDERS);
  t.after(() => fleet.end());
  await fleet.join(hub.port);
  const writer = new RestWriter();
  assert.equal(await writer.post(hub, ALONE), null);

  const departures: string[] = [];
  const everything = watch(hub.url, {});
  everything.on('change', ({ type, advertisement }) => {
    if (type === 'removed') departures.push(advertisement.provider_id);
  });
  const calm = watch(hub.url, ALONE);
  t.after(() => Promise.all([everything.stop(), calm.stop()]));
  await Promise.all([everything.ready, calm.ready]);

  await hub.kill();
  await until('all know that it is gone', async () => (await fleet.state()).live === 0);
  hub = await HubProcess.start(folder, settings);
  await reached(calm, 'live');
  const before = await hub.metrics();
  assert.equal(before.value('discovery_advertisements', 'status="suspect"'), PROVIDERS + 1);

  const startedAt = Date.now();
  const storm = { over: false };
  const joined = fleet.join(hub.port).finally(() => (storm.over = true));
  const waits: number[] = [];
  let rounds = 0;
  while (!storm.over) {
    const from = Date.now();
    const event = nextChange(calm);
    assert.equal(await writer.post(hub, ALONE), null);
    assert.equal((await event).advertisement.name, String(writer.acknowledged));
    const list = await hub.request<unknown[]>('GET', '/api/v1/advertisements?limit=10');
    assert.deepEqual([list.status, list.body.length], [200, 10]);
    waits.push(Date.now() - from);
    // The hub is asked, because the fleet's process has much else to do, and answers late.
    if ((await hub.metrics()).value('discovery_sessions') < PROVIDERS) rounds += 1;
  }
  await joined;
  const allLiveMs = Date.now() - startedAt;
  assert.ok(rounds > 0, 'a write, its event and a list were there before all providers were');

  const { body } = await hub.request<PublishedAdvertisement[]>('GET', '/api/v1/advertisements?status=live');
  assert.equal(body.length, PROVIDERS + 1);
  await until('the watcher knows it', () => {
    const known = [...everything.providers.values()];
    return known.length === PROVIDERS + 1 && known.every(({ status }) => status === 'live');
  });
  assert.deepEqual(departures, []);
  const metrics = await hub.metrics();
  assert.equal(metrics.value('discovery_departures_total', 'reason="expired"'), 0);
  const longestStop = metrics.value('nodejs_eventloop_lag_max_seconds');
  t.diagnostic(
    `all live after ${allLiveMs} ms; ${rounds} rounds of a write, its event and a list meanwhile, the slowest ${Math.max(...waits)} ms; ` +
      `the event loop's longest stop ${Math.round(longestStop * 1000)} ms`,
  );
  assert.equal(await hub.stop(), 0);
});
