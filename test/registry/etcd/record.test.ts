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
  const read = decodeRecord(encodeRecord(record), 'p');
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
  const record = decodeRecord(encodeRecord(recordAfter(open, end, 'hub-1/2')!), 'p');
  assert.equal(record.session, null);
  assert.deepEqual(entryOf('p', record, null), end);
  const older = decodeRecord(encodeRecord({ ...record, made: { by: 'detach', session } }), 'p');
  assert.deepEqual(entryOf('p', older, null), { ...end, heartbeatAgeMs: 0 });
});

test('what is no record of its provider is refused, whatever it is: one member that was missing ended every hub', () => {
  const session = { hub: 'hub-1', token: 7, from: null };
  const record: ProviderRecord = {
    writeId: 'hub-1/1',
    made: { by: 'detach', session: { hub: 'hub-1', token: 6 }, heartbeatAgeMs: 5 },
    advertisement: advertisementOf('p', { endpoint: { port: 1 } }),
    needsSession: true,
    identity: identityOf('p'),
    session,
  };
  const whole = encodeRecord(record);
  assert.throws(() => decodeRecord(whole, 'q'), /providerId is missing or wrong/);
  // Any member, however deep, taken away or replaced by something of another kind.
  const spoil = (value: Record<string, unknown>, path: string): void => {
    for (const [name, member] of Object.entries(value)) {
      const at = `${path}.${name}`;
      if (/\.(pricing|attributes|payload|heartbeatAgeMs)\b|resources\.(?!cpu|memory|storage)/.test(at))
        continue;
      for (const wrong of [undefined, [1], 'x', -0.5, true]) {
        if (typeof wrong === typeof member) continue;
        if (typeof wrong === 'string' && /\.(platform|name|paymentsNetwork|from)$/.test(at)) continue;
        value[name] = wrong;
        assert.throws(
          () => decodeRecord(encodeRecord(record), 'p'),
          /(missing or wrong|has format)/,
          `${at} = ${String(wrong)}`,
        );
      }
      value[name] = member;
      if (typeof member === 'object' && member !== null && !(member instanceof Uint8Array))
        spoil(member as Record<string, unknown>, at);
    }
  };
  spoil(record as unknown as Record<string, unknown>, 'record');
  assert.deepEqual(decodeRecord(whole, 'p').session, session);
});
