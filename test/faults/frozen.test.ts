import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Change, watch } from '../../src/client/node.js';
import { HubProcess, RunningProcess, scratchFolder } from '../process/hub-process.js';
import { TRANSPORTS } from '../support/hubs/test-hub.js';

const SESSION = fileURLToPath(new URL('./session-main.js', import.meta.url));
const HEARTBEAT_SECONDS = 1;
/** How coarse the hub's time is, twice: once for the last heartbeat, once for now. */
const TICKS_MS = 400;
/** Close codes that say that a session was given up for its silence. */
const HEARTBEAT_LOST = 'code="4504"';

// They mostly wait.
describe('a provider whose process stands still', { concurrency: true }, () => {
  for (const transport of TRANSPORTS) {
    test(`is suspect after 2.5 heartbeats, and live when it goes on (${transport})`, async (t) => {
      const folder = scratchFolder(t);
      const hub = await HubProcess.start(folder, {
        TRANSPORT: transport,
        HEARTBEAT_SECONDS: String(HEARTBEAT_SECONDS),
      });
      const watcher = watch(hub.url, {});
      t.after(() => watcher.stop());
      const changes = watcher[Symbol.asyncIterator]();
      const next = async (): Promise<Change> => (await changes.next()).value!;
      const session = new RunningProcess(process.execPath, [SESSION, hub.url], {
        cwd: folder,
        env: { PATH: process.env['PATH'] },
      });
      assert.equal((await next()).type, 'added');

      // It says no goodbye, and the system goes on acknowledging what the hub sends: only its silence shows.
      session.child.kill('SIGSTOP');
      const suspect = await next();
      const silentMs = Date.now() - Date.parse(suspect.advertisement.updated_at);
      assert.deepEqual([suspect.type, suspect.advertisement.status], ['updated', 'suspect']);
      assert.ok(
        silentMs >= 2.5 * HEARTBEAT_SECONDS * 1000 - TICKS_MS,
        `it was given up after ${silentMs} ms`,
      );
      const metrics = await hub.metrics();
      assert.equal(metrics.value('discovery_connection_closes_total', HEARTBEAT_LOST), 1);
      assert.equal(metrics.value('discovery_sessions'), 0);

      session.child.kill('SIGCONT');
      const back = await next();
      assert.deepEqual([back.type, back.advertisement.status], ['updated', 'live']);
      assert.equal(back.advertisement.provider_id, suspect.advertisement.provider_id);
      // The close has been waiting for it, unless the hub has cut the connection by then.
      await session.wrote(/^waiting (?:4504|1006)$[^]*^live $/m);
      t.diagnostic(`suspect ${silentMs} ms after its last heartbeat`);

      await session.kill();
      assert.equal(await hub.stop(), 0);
    });
  }
});
