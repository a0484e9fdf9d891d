import type { Draft, Fields, Message } from './protobuf.js';

/** The messages of etcd's v3 API that a hub needs, with the fields that it reads or sends. */

const HEADER = {
  clusterId: [1, 'big'],
  memberId: [2, 'big'],
  revision: [3, 'number'],
} as const satisfies Fields;
const KEY_VALUE = {
  key: [1, 'bytes'],
  createRevision: [2, 'number'],
  modRevision: [3, 'number'],
  version: [4, 'number'],
  value: [5, 'bytes'],
  lease: [6, 'big'],
} as const satisfies Fields;

const RANGE = {
  key: [1, 'bytes'],
  rangeEnd: [2, 'bytes'],
  limit: [3, 'number'],
  revision: [4, 'number'],
  keysOnly: [8, 'flag'],
  countOnly: [9, 'flag'],
} as const satisfies Fields;
const RANGE_ANSWER = {
  header: [1, { one: HEADER }],
  kvs: [2, { many: KEY_VALUE }],
  more: [3, 'flag'],
  count: [4, 'number'],
} as const satisfies Fields;
const PUT = { key: [1, 'bytes'], value: [2, 'bytes'], lease: [3, 'big'] } as const satisfies Fields;
const DELETE = { key: [1, 'bytes'], rangeEnd: [2, 'bytes'] } as const satisfies Fields;
const HEADER_ONLY = { header: [1, { one: HEADER }] } as const satisfies Fields;

/** Values of `COMPARE.target`: how often a key was written since its creation, or the revision of its last write. */
export const TARGET = { version: 0, modRevision: 2 } as const;
/** Values of `COMPARE.result`. */
export const RESULT = { equal: 0, greater: 1 } as const;

const COMPARE = {
  result: [1, 'number'],
  target: [2, 'number'],
  key: [3, 'bytes'],
  version: [4, 'number'],
  modRevision: [6, 'number'],
  rangeEnd: [64, 'bytes'],
} as const satisfies Fields;
const SIMPLE = {
  range: [1, { one: RANGE }],
  put: [2, { one: PUT }],
  delete: [3, { one: DELETE }],
} as const satisfies Fields;
const SIMPLE_ANSWER = {
  range: [1, { one: RANGE_ANSWER }],
  put: [2, { one: HEADER_ONLY }],
  delete: [3, { one: HEADER_ONLY }],
} as const satisfies Fields;
/** A nested transaction, which chooses its own branch. */
const INNER = {
  compare: [1, { many: COMPARE }],
  success: [2, { many: SIMPLE }],
  failure: [3, { many: SIMPLE }],
} as const satisfies Fields;
const INNER_ANSWER = {
  header: [1, { one: HEADER }],
  succeeded: [2, 'flag'],
  responses: [3, { many: SIMPLE_ANSWER }],
} as const satisfies Fields;
const OPERATION = { ...SIMPLE, txn: [4, { one: INNER }] } as const satisfies Fields;
const OPERATION_ANSWER = { ...SIMPLE_ANSWER, txn: [4, { one: INNER_ANSWER }] } as const satisfies Fields;
const TXN = {
  compare: [1, { many: COMPARE }],
  success: [2, { many: OPERATION }],
  failure: [3, { many: OPERATION }],
} as const satisfies Fields;
const TXN_ANSWER = {
  header: [1, { one: HEADER }],
  succeeded: [2, 'flag'],
  responses: [3, { many: OPERATION_ANSWER }],
} as const satisfies Fields;

const WATCH = {
  create: [
    1,
    {
      one: {
        key: [1, 'bytes'],
        rangeEnd: [2, 'bytes'],
        startRevision: [3, 'number'],
        progressNotify: [4, 'flag'],
        fragment: [8, 'flag'],
      },
    },
  ],
  progress: [3, { one: {} }],
} as const satisfies Fields;
/** The `type` of an event for a deleted key. */
export const DELETED = 1;
const WATCH_ANSWER = {
  header: [1, { one: HEADER }],
  created: [3, 'flag'],
  canceled: [4, 'flag'],
  compactRevision: [5, 'number'],
  cancelReason: [6, 'text'],
  fragment: [7, 'flag'],
  events: [11, { many: { type: [1, 'number'], kv: [2, { one: KEY_VALUE }] } }],
} as const satisfies Fields;

const LEASE = { id: [1, 'big'] } as const satisfies Fields;
const LEASE_ANSWER = {
  header: [1, { one: HEADER }],
  id: [2, 'big'],
  ttl: [3, 'number'],
} as const satisfies Fields;

/** One RPC: its path, and the messages sent and received. */
export interface Method<Request extends Fields = Fields, Response extends Fields = Fields> {
  path: string;
  request: Request;
  response: Response;
}

function method<Request extends Fields, Response extends Fields>(
  path: string,
  request: Request,
  response: Response,
): Method<Request, Response> {
  return { path: `/etcdserverpb.${path}`, request, response };
}

export const METHODS = {
  range: method('KV/Range', RANGE, RANGE_ANSWER),
  put: method('KV/Put', PUT, HEADER_ONLY),
  delete: method('KV/DeleteRange', DELETE, HEADER_ONLY),
  txn: method('KV/Txn', TXN, TXN_ANSWER),
  compact: method('KV/Compact', { revision: [1, 'number'] }, HEADER_ONLY),
  watch: method('Watch/Watch', WATCH, WATCH_ANSWER),
  leaseGrant: method('Lease/LeaseGrant', { ttl: [1, 'number'], id: [2, 'big'] }, LEASE_ANSWER),
  leaseRevoke: method('Lease/LeaseRevoke', LEASE, HEADER_ONLY),
  leaseTimeToLive: method('Lease/LeaseTimeToLive', LEASE, {
    header: [1, { one: HEADER }],
    id: [2, 'big'],
    ttl: [3, 'number'],
    grantedTtl: [4, 'number'],
  }),
  leaseKeepAlive: method('Lease/LeaseKeepAlive', LEASE, LEASE_ANSWER),
  status: method(
    'Maintenance/Status',
    {},
    {
      header: [1, { one: HEADER }],
      version: [2, 'text'],
      dbSize: [3, 'number'],
      leader: [4, 'big'],
      dbSizeInUse: [9, 'number'],
      isLearner: [10, 'flag'],
    },
  ),
  alarms: method(
    'Maintenance/Alarm',
    {},
    {
      header: [1, { one: HEADER }],
      alarms: [2, { many: { memberId: [1, 'big'], kind: [2, 'number'] } }],
    },
  ),
  members: method(
    'Cluster/MemberList',
    {},
    { header: [1, { one: HEADER }], members: [2, { many: { id: [1, 'big'], name: [2, 'text'] } }] },
  ),
  authenticate: method(
    'Auth/Authenticate',
    { name: [1, 'text'], password: [2, 'text'] },
    { header: [1, { one: HEADER }], token: [2, 'text'] },
  ),
} as const;

export type KeyValue = Message<typeof KEY_VALUE>;
export type Txn = Draft<typeof TXN>;
export type InnerTxn = Draft<typeof INNER>;
export type TxnAnswer = Message<typeof TXN_ANSWER>;
export type WatchAnswer = Message<typeof WATCH_ANSWER>;
