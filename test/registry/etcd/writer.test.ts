import assert from 'node:assert/strict';
import test from 'node:test';
import { systemTimers } from '../../../src/lib/timers.js';
import type { EtcdClient } from '../../../src/registry/etcd/client/client.js';
import { Keys } from '../../../src/registry/etcd/keys.js';
import { type Known, Writer } from '../../../src/registry/etcd/writer.js';

const REVISION = 5;
const CONTENT = { key: Buffer.from('k'), value: Buffer.from('garbage'), modRevision: REVISION };

/** An etcd that has a record at a revision which this hub passed without applying it. */
const client = {
  timers: systemTimers,
  call: () => {
    const range = { kvs: [CONTENT] };
    const txn = { succeeded: false, responses: [{ range }] };
    return Promise.resolve({ succeeded: true, responses: [{ range, txn }] });
  },
} as unknown as EtcdClient;

for (const known of [{ revision: 3, foreignRevision: 3, session: null }, undefined] as (
  Known | undefined
)[]) {
  const missed: string[] = [];
  test(`a record that was passed over is written no more, ${known ? 'and named' : 'but may have gone since'}: it was tried for 5 s without a pause`, async () => {
    const writer = new Writer(client, new Keys('hubs/'), {
      hub: () => 'a',
      position: () => 9,
      known: () => known,
      isUnreadable: () => false,
      missed: (providerId, revision) => missed.push(`${providerId} ${String(revision)}`),
    });
    const attach = {
      kind: 'attach',
      providerId: 'p',
      hub: 'a',
      token: 1,
      at: 1,
      from: null,
      again: false,
    } as const;
    await assert.rejects(writer.propose(attach), /the record of p in etcd cannot be read/);
    assert.equal(writer.counts.conflicts, 1);
    assert.deepEqual(missed, known === undefined ? [] : [`p ${String(REVISION)}`]);
  });
}
