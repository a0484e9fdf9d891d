import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { PersistenceError } from '../../../src/registry/log.js';
import { advertisementOf, loadFile, openMirror, T0, TestLog } from './support.js';
import { mountTemporary, unmountable } from './tmpfs.js';
import { advertised } from '../../support/data/entries.js';

test(
  'a full disk: callers hear of it, and what nobody waits for arrives later',
  { skip: unmountable },
  async (t) => {
    const disk = mountTemporary(t, '4m');
    const path = join(disk.folder, 'hub.db');
    const log = new TestLog();
    const mirror = await openMirror(path, log);
    await mirror.propose(advertised(advertisementOf('kept')));
    await mirror.propose(advertised(advertisementOf('expired')));
    disk.fill();

    const payload = Buffer.alloc(16_000, ' ');
    const proof = { publicKey: 'ab'.repeat(32), t: 1, payload, signature: 'cd'.repeat(64) };
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        mirror.propose(advertised(advertisementOf(`lost${String(i)}`, { proof }))),
      ),
    );
    for (const result of results) {
      assert.equal(result.status, 'rejected');
      assert.ok(result.reason instanceof PersistenceError);
      assert.match(result.reason.message, /hub\.db is full: free some space/);
    }
    assert.match(mirror.problem ?? '', /hub\.db is full/);

    const batch = (updatedAt: number) => ({
      anchor: null,
      providerIds: ['kept', 'expired'],
      updatedAt: Float64Array.of(updatedAt, updatedAt),
      attached: Uint8Array.of(1, 1),
    });
    mirror.saveHeartbeats(batch(T0 + 1000));
    mirror.saveHeartbeats(batch(T0 + 2000));
    mirror.purge(['expired'], 0);
    assert.ok(mirror.pending >= 2);
    assert.ok(mirror.lagMs > 0);

    const again = log.next(/is writing again/);
    disk.free();
    await again;
    assert.equal(mirror.problem, null);
    await mirror.propose(advertised(advertisementOf('new', { proof })));
    await mirror.close();
    const { advertisements, loaded } = await loadFile(path);
    assert.equal(loaded.movedAside, null);
    assert.deepEqual([...advertisements.keys()].sort(), ['kept', 'new']);
    assert.deepEqual(
      advertisements.get('kept'),
      advertisementOf('kept', { updatedAt: T0 + 2000, attached: true }),
    );
  },
);
