import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import test from 'node:test';
import { scaled } from '../../support/scale.js';
import { loadFile, temporaryFolder } from './support.js';
import { startWriter } from './writer-process.js';

const ROUNDS = scaled(4, 20);

test('whatever was acknowledged survives SIGKILL at any moment', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const present = new Set<string>();
  const gone = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const writer = await startWriter(t, path, `round${String(round)}`);
    await writer.acknowledged(randomInt(1, 4000));
    await writer.kill();
    for (const line of writer.lines) {
      const id = line.slice(1);
      if (line.startsWith('+')) present.add(id);
      else {
        present.delete(id);
        gone.add(id);
      }
    }
    const { advertisements, identities, loaded } = await loadFile(path);
    assert.equal(loaded.movedAside, null);
    // A withdrawal may have been made without its acknowledgement; then its identity says so.
    const lost = [...present].filter((id) => !advertisements.has(id) && identities.get(id)?.lastT !== 1);
    assert.deepEqual(lost, []);
    assert.deepEqual(
      [...gone].filter((id) => advertisements.has(id)),
      [],
    );
    assert.deepEqual(
      [...gone, ...present].filter((id) => !identities.has(id)),
      [],
    );
  }
  t.diagnostic(`${String(present.size)} kept, ${String(gone.size)} withdrawn`);
});
