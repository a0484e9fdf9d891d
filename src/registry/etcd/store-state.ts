import { createHash, randomBytes } from 'node:crypto';
import type { EtcdClient } from './client/client.js';
import { type KeyValue, METHODS, RESULT, TARGET } from './client/messages.js';
import type { Keys } from './keys.js';
import { decodeRecord, type ProviderRecord } from './record.js';

/** How many records to read at a time. */
const PAGE = 2000;
/** Older versions lose watch events when the leader changes. */
const OLDEST = [3, 5] as const;

/** The whole content of the store at one revision. */
export interface StoreState {
  revision: number;
  /** The running hubs. */
  hubs: Set<string>;
  providers: Map<string, { revision: number; record: ProviderRecord }>;
}

/** @throws Error if this etcd is too old; the message says what to do. EtcdError if it does not answer. */
export async function checkVersion(client: EtcdClient): Promise<void> {
  const { version } = await client.call(METHODS.status, {});
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new Error(`this etcd is ${version}, which loses events; install ${OLDEST.join('.')} or newer`);
}

/**
 * The epoch of the store: derived from the cluster's id, which stays the same when a store is wiped and recreated in the same way, and from
 * a random key, which is created once and which an operator can reset.
 */
export async function readEpoch(client: EtcdClient, keys: Keys): Promise<string> {
  const { identity } = keys;
  const { header, succeeded, responses } = await client.call(METHODS.txn, {
    compare: [{ target: TARGET.version, result: RESULT.equal, key: identity, version: 0 }],
    success: [{ put: { key: identity, value: randomBytes(16) } }],
    failure: [{ range: { key: identity } }],
  });
  const [kv] = responses[0]?.range?.kvs ?? [];
  if (succeeded || kv === undefined) return readEpoch(client, keys);
  return epochOf(header!.clusterId, kv.value);
}

/** Derives the epoch from the cluster's id and the value of the identity key. */
export function epochOf(clusterId: bigint, identity: Uint8Array): string {
  return createHash('sha256').update(String(clusterId)).update(identity).digest('hex').slice(0, 12);
}

/** Reads everything, as of the present revision. */
export async function readState(client: EtcdClient, keys: Keys): Promise<StoreState> {
  const hubs = new Set<string>();
  const { header, kvs } = await client.call(METHODS.range, keys.hubs);
  const revision = header!.revision;
  for (const { key } of kvs) hubs.add(keys.read(key)!.id);
  const providers: StoreState['providers'] = new Map();
  const { rangeEnd } = keys.providers;
  let from = keys.providers.key;
  for (;;) {
    const page = await client.call(METHODS.range, { key: from, rangeEnd, limit: PAGE, revision });
    for (const kv of page.kvs) providers.set(keys.read(kv.key)!.id, recordIn(kv));
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return { revision, hubs, providers };
    from = Buffer.concat([last.key, Buffer.of(0)]);
  }
}

function recordIn({ modRevision, value }: KeyValue): { revision: number; record: ProviderRecord } {
  return { revision: modRevision, record: decodeRecord(value) };
}
