import { createHash, randomBytes } from 'node:crypto';
import type { EtcdClient } from './client/client.js';
import { type KeyValue, METHODS, RESULT, TARGET } from './client/messages.js';
import type { Keys } from './keys.js';
import { decodeRecord, type ProviderRecord } from './record.js';
import { type Mark, wentBack } from './store-mark.js';

/** How many records to read at a time. */
const PAGE = 2000;
/**
 * Where ranges of ids begin that are read beside each other, after the first: etcd counts what is left of a range with each page. Keys
 * in base58 spread over them evenly.
 */
const SHARD_STARTS = ['9', 'G', 'Q', 'Z', 'i', 'r'];
/** Older versions lose watch events when the leader changes. */
const OLDEST = [3, 5] as const;

/** A record is damaged, or of a newer version. The message names its key and says what to do. */
export class UnreadableRecordError extends Error {
  override readonly name = 'UnreadableRecordError';
}

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
export async function readEpoch(client: EtcdClient, keys: Keys): Promise<Mark> {
  const { identity } = keys;
  const { header, succeeded, responses } = await client.call(METHODS.txn, {
    compare: [{ target: TARGET.version, result: RESULT.equal, key: identity, version: 0 }],
    success: [{ put: { key: identity, value: randomBytes(16) } }],
    failure: [{ range: { key: identity } }],
  });
  const [kv] = responses[0]?.range?.kvs ?? [];
  if (succeeded || kv === undefined) return readEpoch(client, keys);
  return { epoch: epochOf(header!.clusterId, kv.value), revision: header!.revision };
}

/** The store is not the one that a hub followed: what has become of it, and what to do. */
export const ANOTHER_STORE =
  'this etcd is not the store that this hub has followed: it was made anew, or its epoch was renewed; restart this hub';

/**
 * Compares the store with the one that a hub follows.
 * @param watched The id of the cluster that a watch was opened at; null for none.
 * @returns Null where it is the same, else what has become of it and what to do.
 * @throws EtcdError (as a rejection)
 */
export async function findChange(
  client: EtcdClient,
  keys: Keys,
  followed: Mark,
  watched: bigint | null,
): Promise<string | null> {
  const { identity } = keys;
  const { header, kvs } = await client.call(METHODS.range, { key: identity });
  const [kv] = kvs;
  const { clusterId, revision } = header!;
  const isOne = watched === null || watched === clusterId;
  if (kv === undefined || !isOne || epochOf(clusterId, kv.value) !== followed.epoch) {
    return ANOTHER_STORE;
  }
  return revision < followed.revision ? wentBack(followed.revision, revision, String(identity)) : null;
}

/** Derives the epoch from the cluster's id and the value of the identity key. */
export function epochOf(clusterId: bigint, identity: Uint8Array): string {
  return createHash('sha256').update(String(clusterId)).update(identity).digest('hex').slice(0, 12);
}

/** Whether an import into the store has begun and not ended. @throws EtcdError (as a rejection) */
export async function isImporting(client: EtcdClient, keys: Keys): Promise<boolean> {
  const { kvs } = await client.call(METHODS.range, { key: keys.importing, keysOnly: true });
  return kvs.length > 0;
}

/** Reads everything, as of the present revision. @throws EtcdError, UnreadableRecordError (as a rejection) */
export async function readState(client: EtcdClient, keys: Keys): Promise<StoreState> {
  const hubs = new Set<string>();
  const { header, kvs } = await client.call(METHODS.range, keys.hubs);
  const revision = header!.revision;
  for (const { key } of kvs) hubs.add(keys.read(key)!.id);
  const providers: StoreState['providers'] = new Map();
  const { key: first, rangeEnd: last } = keys.providers;
  const starts = [first, ...SHARD_STARTS.map((start) => Buffer.concat([first, Buffer.from(start)]))];
  await Promise.all(
    starts.map((start, index) =>
      readRange(client, start, starts[index + 1] ?? last, revision, (kv) => {
        const providerId = keys.read(kv.key)!.id;
        providers.set(providerId, recordIn(kv, providerId));
      }),
    ),
  );
  return { revision, hubs, providers };
}

/** Reads some records, as they are now, in one transaction of at most 128. @throws EtcdError (as a rejection) */
export async function readRecords(
  client: EtcdClient,
  keys: Keys,
  providerIds: readonly string[],
): Promise<StoreState['providers']> {
  const success = providerIds.map((providerId) => ({ range: { key: keys.provider(providerId) } }));
  const { responses } = await client.call(METHODS.txn, { success });
  const read: StoreState['providers'] = new Map();
  for (const [index, { range }] of responses.entries()) {
    const [kv] = range?.kvs ?? [];
    if (kv !== undefined) read.set(providerIds[index]!, recordIn(kv, providerIds[index]!));
  }
  return read;
}

/** The revisions that some records had at a revision; 0 where there was none. @throws EtcdError (as a rejection), e.g. if it is compacted. */
export async function readRevisions(
  client: EtcdClient,
  keys: Keys,
  providerIds: readonly string[],
  revision: number,
): Promise<number[]> {
  const success = providerIds.map((providerId) => ({
    range: { key: keys.provider(providerId), revision, keysOnly: true },
  }));
  const { responses } = await client.call(METHODS.txn, { success });
  return responses.map(({ range }) => range?.kvs[0]?.modRevision ?? 0);
}

/** Reads one range page by page, at a revision. */
async function readRange(
  client: EtcdClient,
  start: Buffer,
  rangeEnd: Buffer,
  revision: number,
  take: (kv: KeyValue) => void,
): Promise<void> {
  let from = start;
  for (;;) {
    const page = await client.call(METHODS.range, { key: from, rangeEnd, limit: PAGE, revision });
    for (const kv of page.kvs) take(kv);
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return;
    from = Buffer.concat([last.key, Buffer.of(0)]);
  }
}

/** @throws UnreadableRecordError */
function recordIn(
  { key, modRevision, value }: KeyValue,
  providerId: string,
): { revision: number; record: ProviderRecord } {
  try {
    return { revision: modRevision, record: decodeRecord(value, providerId) };
  } catch (error) {
    const { message } = error as Error;
    throw new UnreadableRecordError(
      `the record under the key ${String(key)} in etcd cannot be read: ${message}. If it is of a newer version, run that; if it is damaged, ` +
        'delete the key, and its provider has to advertise again',
      { cause: error },
    );
  }
}
