import assert from 'node:assert/strict';
import test from 'node:test';
import { openRegistry } from '../../src/registry/open.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryLog } from '../support/worlds/memory-log.js';

const SETTINGS = { expiryMs: 300_000, restartGraceMs: 60_000, replayEvents: 100, cleanupMs: 60_000 };

test('where what a log delivers cannot be applied, the log is closed: the hub never listened, and counted as running', async () => {
  let isClosed = false;
  class Broken extends MemoryLog {
    override deliverTo(): void {
      throw new Error('it makes no sense');
    }

    override close(): Promise<void> {
      isClosed = true;
      return super.close();
    }
  }
  const opening = openRegistry(() => Promise.resolve(new Broken()), SETTINGS, new FakeClock());
  await assert.rejects(opening, /it makes no sense/);
  assert.equal(isClosed, true);
});
