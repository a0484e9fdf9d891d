import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { WebSocket } from 'ws';
import { once } from 'node:events';
import { HubProcess, scratchFolder } from '../process/hub-process.js';
import { Metrics } from '../support/clients/prometheus.js';
import { FleetProcess } from './fleet/fleet-process.js';
import { scaled } from '../support/scale.js';
import { RestWriter } from './rest-writer.js';

const PROVIDERS = scaled(300, 10_000);
const DRAIN_SECONDS = scaled(2, 5);

interface Row {
  provider_id: string;
  attached: number;
  payload: string;
}

test(`a hub with ${PROVIDERS} sessions that is told to stop lets them go one after the other, and keeps all it acknowledged`, async (t) => {
  const folder = scratchFolder(t);
  const hub = await HubProcess.start(folder, { DRAIN_SECONDS: String(DRAIN_SECONDS) });
  const fleet = await FleetProcess.start(PROVIDERS);
  t.after(() => fleet.end());
  await fleet.join(hub.port);
  const writer = new RestWriter();
  const writing = writer.run(hub);
  while (writer.acknowledged < 5) await new Promise(setImmediate);

  const stopped = hub.stop();
  const progress = new Set<number>();
  const healths = new Set<number>();
  for (;;) {
    const metrics = await fetch(`${hub.url}/metrics`).catch(() => null);
    const health = await fetch(`${hub.url}/health`).catch(() => null);
    if (metrics === null || health === null) break;
    const text = await metrics.text().catch(() => '');
    if (text !== '')
      progress.add(new Metrics(text).value('discovery_connection_closes_total', 'code="4503"'));
    healths.add(health.status);
    if (progress.size === 2) {
      const late = new WebSocket(`${hub.url.replace('http', 'ws')}/api/v1/ws`);
      const [code] = (await once(late, 'close')) as [number];
      assert.equal(code, 4503, 'whoever comes now is sent away');
    }
  }
  assert.equal(await stopped, 0);
  assert.ok(progress.size > 3, `its connections went in steps: ${[...progress].join(', ')}`);
  assert.ok(healths.has(503), 'it was degraded');
  assert.deepEqual(
    [...healths].filter((status) => status !== 503 && status !== 200),
    [],
  );

  const refusal = await writing;
  assert.deepEqual([refusal.status, refusal.code], [503, 'ADV_001']);
  assert.match(refusal.retryAfter ?? '', /^[1-9]\d*$/);
  const { live, closes, acknowledged } = await fleet.state();
  assert.deepEqual({ live, closes }, { live: 0, closes: { 4503: PROVIDERS } });
  assert.equal(acknowledged, PROVIDERS);

  const database = new Database(join(folder, 'hub.db'), { readonly: true });
  t.after(() => database.close());
  const rows = database
    .prepare<[], Row>('SELECT provider_id, attached, CAST(payload AS TEXT) AS payload FROM advertisements')
    .all();
  const written = rows.find(({ provider_id: id }) => id === writer.key.publicKey);
  assert.equal((JSON.parse(written!.payload) as { name: string }).name, String(writer.acknowledged));
  const sessions = rows.filter((row) => row !== written);
  assert.equal(sessions.length, PROVIDERS);
  assert.ok(
    sessions.every(({ attached }) => attached === 1),
    'a hub that stops makes nobody a suspect',
  );
  t.diagnostic(`closed in steps: ${[...progress].join(', ')}`);
});

test('a second signal ends a hub that drains at once', async (t) => {
  const hub = await HubProcess.start(scratchFolder(t), { DRAIN_SECONDS: '3600' });
  const fleet = await FleetProcess.start(3);
  t.after(() => fleet.end());
  await fleet.join(hub.port);
  const stopped = hub.stop();
  await hub.wrote(/stopping; a second signal stops at once/);
  assert.equal((await hub.request('GET', '/health')).status, 503);
  await hub.stop('SIGINT');
  await stopped;
  const { code, signal } = await hub.exited;
  assert.deepEqual({ code, signal }, { code: null, signal: 'SIGKILL' });
});
