import assert from 'node:assert/strict';
import test from 'node:test';
import { Applied, type AppliedHost } from '../../../src/registry/etcd/following/applied.js';
import { encodeRecord, type ProviderRecord } from '../../../src/registry/etcd/record.js';
import type { WatchEvent } from '../../../src/registry/etcd/following/watch.js';
import { Keys } from '../../../src/registry/etcd/keys.js';
import { advertisementOf, TestLog } from '../mirror/support.js';

const HOST: AppliedHost = {
  isDueAt: () => false,
  hub: () => 'a',
  declaredDead: () => undefined,
  entryOf: () => undefined,
  applied: () => undefined,
  reached: () => undefined,
};

const RECORD: ProviderRecord = {
  writeId: 'b/1',
  made: { by: 'advertise' },
  advertisement: advertisementOf('p'),
  needsSession: false,
  identity: null,
  session: null,
};

test('a record that was unreadable is so no longer once the whole store has been read: its writes stayed refused', () => {
  const keys = new Keys('hubs/');
  const written = (modRevision: number, value: Buffer): WatchEvent[] => [
    {
      type: 0,
      kv: {
        key: keys.provider('p'),
        value,
        createRevision: 2,
        modRevision,
        version: modRevision - 1,
        lease: 0n,
      },
    },
  ];
  const applied = new Applied(keys, 1, HOST, new TestLog());
  applied.revision(2, written(2, encodeRecord(RECORD)));
  assert.equal(applied.isUnreadable('p'), false);
  applied.revision(3, written(3, Buffer.from('garbage')));
  assert.equal(applied.isUnreadable('p'), true);
  applied.take({
    revision: 4,
    hubs: new Set(),
    providers: new Map([['p', { revision: 4, record: RECORD }]]),
  });
  assert.equal(applied.isUnreadable('p'), false);
});
