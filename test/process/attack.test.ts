import assert from 'node:assert/strict';
import test from 'node:test';
import { attackHub, MAX_MEMORY_RATIO } from '../../bench/attack/suite.js';
import { seedDatabase } from '../../bench/database.js';
import { Hub } from '../../bench/hub.js';
import { BenchRun } from '../../bench/run.js';

/** A small hub grows by what any client brings with it, which says nothing. */
const SMALL_HUB_RATIO = 2 * MAX_MEMORY_RATIO;

const skip = process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8 without being told';

test(
  'an honest client is served beside every attack, and each attacker meets the documented bound',
  { skip },
  async (t) => {
    const bench = new BenchRun(true);
    t.after(() => bench.clear());
    await seedDatabase(bench, 'attack.db', 3000, []);
    const hub = await Hub.start(bench, 'attack.db', { RATE_LIMIT_PER_MINUTE: '', MESSAGES_PER_MINUTE: '' });
    const results = await attackHub(bench, hub, 1, () => undefined);
    for (const { attack, failures, memory } of results) {
      assert.deepEqual(failures, [], attack.name);
      assert.ok(memory <= SMALL_HUB_RATIO, `${attack.name}: ${memory.toFixed(2)} times the memory of before`);
    }
    assert.equal(hub.program.ended, false);
    await hub.end();
  },
);
