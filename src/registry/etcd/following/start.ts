import type { Copied, CopyMark, LocalCopy } from '../../local-copy.js';
import type { KeptSink } from '../../log.js';
import type { EtcdClient } from '../client/client.js';
import { EtcdError } from '../client/endpoint.js';
import { HeldWatch } from './held-watch.js';
import type { Keys } from '../keys.js';
import type { SharedLogLogger } from '../settings.js';
import type { Mark } from '../store-mark.js';
import { findChange, readRevisions, readState, type StoreState } from '../store-state.js';

/** What a hub begins with: the whole store, or the local copy of it and what has changed since. */
export type Start =
  { from: 'store'; state: StoreState } | { from: 'copy'; mark: CopyMark; copied: Copied; watch: HeldWatch };

/** A copy that is further behind is left alone, in revisions: a watch that has to catch up for long slows down everybody's writes. */
const MAX_BEHIND = 50_000;
/** So many of the newest records in a copy are compared with the store. */
const COMPARED = 100;
/** How long catching up may take, in milliseconds. */
const CATCH_UP_MS = 60_000;

/**
 * Reads what a hub begins with: from the local copy if the store still reaches back to it.
 * @param found The store as it is.
 * @param sink Receives the content of the copy.
 * @throws EtcdError (as a rejection)
 */
export async function readStart(
  client: EtcdClient,
  keys: Keys,
  found: Mark,
  copy: LocalCopy | null,
  sink: KeptSink,
  log: SharedLogLogger,
): Promise<Start> {
  const start = copy === null ? null : await fromCopy(client, keys, found, copy, sink, log);
  return start ?? { from: 'store', state: await readState(client, keys) };
}

async function fromCopy(
  client: EtcdClient,
  keys: Keys,
  found: Mark,
  copy: LocalCopy,
  sink: KeptSink,
  log: SharedLogLogger,
): Promise<Start | null> {
  let watch: HeldWatch | null = null;
  try {
    const mark = await copy.mark();
    if (mark === null) return null;
    const obstacle = await obstacleTo(client, keys, found, copy, mark);
    if (obstacle !== null) throw new Error(obstacle);
    watch = new HeldWatch(
      client,
      keys.all,
      mark.revision,
      async (clusterId) => (await findChange(client, keys, found, clusterId)) === null,
    );
    if (!(await watch.comesTo(found.revision, CATCH_UP_MS)))
      throw new Error('what has changed since cannot be read from etcd');
    const copied = await copy.load(sink);
    log.info(`starting from the local copy of revision ${mark.revision}, with ${watch.count} changes since`);
    return { from: 'copy', mark, copied, watch };
  } catch (error) {
    watch?.watch.close();
    sink.reset();
    log.warn(
      `the local copy of the store is of no use, and all is read from etcd: ${(error as Error).message}`,
    );
    return null;
  }
}

/** Why the store cannot be followed from where a copy stands; null if it can. */
async function obstacleTo(
  client: EtcdClient,
  keys: Keys,
  { epoch, revision }: Mark,
  copy: LocalCopy,
  mark: CopyMark,
): Promise<string | null> {
  if (mark.epoch !== epoch) return 'it is of another store, or of an earlier epoch';
  if (mark.revision > revision) return 'the store was rolled back to before it';
  if (revision - mark.revision > MAX_BEHIND) return `${revision - mark.revision} revisions have passed since`;
  const newest = await copy.newest(COMPARED);
  const ids = newest.map(({ providerId }) => providerId);
  try {
    const revisions = await readRevisions(client, keys, ids, mark.revision);
    const isSame = newest.every((record, index) => record.revision === revisions[index]);
    return isSame ? null : 'the store was rolled back to before it, or has records that it could not read';
  } catch (error) {
    if (error instanceof EtcdError && error.isCompacted) return 'etcd has compacted what has changed since';
    throw error;
  }
}
