import assert from 'node:assert/strict';
import test from 'node:test';
import {
  decodeRecord,
  encodeRecord,
  entryOf,
  type ProviderRecord,
  recordAfter,
} from '../../../src/registry/etcd/record.js';
import { advertisementOf, identityOf } from '../mirror/support.js';

test('a record comes back as it was, also with prices that have the names of what libraries call on objects', () => {
  const record: ProviderRecord = {
    writeId: 'hub-1/1',
    made: { by: 'advertise' },
    advertisement: advertisementOf('p', { pricing: { toJSON: 'x', constructor: 1, usd_per_core_month: 2 } }),
    needsSession: true,
    identity: identityOf('p'),
    session: { hub: 'hub-1', token: 7, from: null },
  };
  const read = decodeRecord(encodeRecord(record));
  assert.deepEqual({ ...read.advertisement?.pricing }, record.advertisement?.pricing);
  assert.deepEqual(read.advertisement?.resources, record.advertisement?.resources);
  for (const part of ['writeId', 'made', 'needsSession', 'identity', 'session'] as const)
    assert.deepEqual(read[part], record[part], part);
});

test('the end of a session tells how long ago the last heartbeat was; one of an older hub tells nothing, and applies', () => {
  const session = { hub: 'hub-1', token: 7 };
  const open: ProviderRecord = {
    writeId: 'hub-1/1',
    made: { by: 'attach', at: 0 },
    advertisement: advertisementOf('p'),
    needsSession: true,
    identity: identityOf('p'),
    session: { ...session, from: null },
  };
  const end = { kind: 'detach', providerId: 'p', ...session, heartbeatAgeMs: 61_000 } as const;
  const record = decodeRecord(encodeRecord(recordAfter(open, end, 'hub-1/2')!));
  assert.equal(record.session, null);
  assert.deepEqual(entryOf('p', record, null), end);
  const older = decodeRecord(encodeRecord({ ...record, made: { by: 'detach', session } }));
  assert.deepEqual(entryOf('p', older, null), { ...end, heartbeatAgeMs: 0 });
});
