import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';
import type { EtcdClient } from './client/client.js';
import { EtcdError, type EtcdSettings } from './client/endpoint.js';
import { METHODS } from './client/messages.js';
import { Keys } from './keys.js';
import type { SharedLogSettings } from './settings.js';
import { epochOf, isImporting } from './store-state.js';

/** The state of a store that several hubs share. */
export interface StoreOverview {
  /** Why it does not answer, though a node does; the members but for `nodes` are meaningless then. */
  problem: string | null;
  /** Null while no hub has used the store. */
  epoch: string | null;
  /** The revision of the last change. */
  revision: number;
  providers: number;
  hubs: HubOverview[];
  /** In the order of the endpoints. */
  nodes: NodeOverview[];
  /** Whether an import has started and not finished. */
  isImporting: boolean;
}

/** A hub that counts as running. */
export interface HubOverview {
  /** The name of this run in the store. */
  hub: string;
  /** Its name for people. */
  name: string;
  /** Seconds until it counts as dead unless it renews its lease; -1 once it does. */
  leaseSeconds: number;
}

/** A node of etcd. */
export interface NodeOverview {
  url: string;
  /** Why it did not answer; the other members are meaningless then. */
  problem: string | null;
  name: string;
  version: string;
  isLeader: boolean;
  revision: number;
  /** The size of its file, and how much of it is in use, in bytes. */
  bytes: number;
  bytesInUse: number;
  /** Size limit in bytes; null if unknown. */
  quotaBytes: number | null;
  alarms: string[];
}

/** How long a node may take, in milliseconds. */
const PATIENCE_MS = 3000;
/** etcd's alarms, by number. */
const ALARMS: Readonly<Record<number, string>> = { 1: 'no space', 2: 'corrupt' };
/** How many characters of a node's metrics are read. */
const MAX_METRICS = 4 * 1024 * 1024;

/**
 * Queries the state of a store and of each of its nodes. Changes nothing.
 * @throws EtcdError (as a rejection) if no node answers.
 */
export async function readOverview(client: EtcdClient, settings: SharedLogSettings): Promise<StoreOverview> {
  const nodes = await Promise.all(
    settings.endpoints.map((url, turn) => readNode(client, settings, url, turn)),
  );
  const hasAnswered = nodes.some(({ version }) => version !== '');
  if (hasAnswered && nodes.every(({ problem }) => problem !== null))
    return { problem: 'no node can answer for the cluster', ...NOTHING_KNOWN, nodes };
  try {
    return { problem: null, ...(await readStore(client, new Keys(settings.prefix))), nodes };
  } catch (error) {
    if (!(error instanceof EtcdError) || !hasAnswered) throw error;
    return { problem: error.advice, ...NOTHING_KNOWN, nodes };
  }
}

const NOTHING_KNOWN = { epoch: null, revision: 0, providers: 0, hubs: [], isImporting: false };

async function readStore(client: EtcdClient, keys: Keys): Promise<Omit<StoreOverview, 'problem' | 'nodes'>> {
  const identity = await client.call(METHODS.range, { key: keys.identity });
  const { clusterId, revision } = identity.header!;
  const { count } = await client.call(METHODS.range, { ...keys.providers, countOnly: true });
  const { kvs } = await client.call(METHODS.range, keys.hubs);
  const hubs = kvs.map(async ({ key, value, lease }): Promise<HubOverview> => {
    const { id } = keys.read(key)!;
    const { ttl } = await client.call(METHODS.leaseTimeToLive, { id: lease });
    return { hub: id, name: nameIn(value) ?? id, leaseSeconds: ttl };
  });
  const [value] = identity.kvs.map((kv) => kv.value);
  return {
    epoch: value === undefined ? null : epochOf(clusterId, value),
    revision,
    providers: count,
    hubs: await Promise.all(hubs),
    isImporting: await isImporting(client, keys),
  };
}

async function readNode(
  client: EtcdClient,
  settings: EtcdSettings,
  url: string,
  turn: number,
): Promise<NodeOverview> {
  const nothing = { url, name: '', version: '', isLeader: false, revision: 0, bytes: 0, bytesInUse: 0 };
  try {
    const { endpoint, token } = await client.node(turn);
    const status = await endpoint.call(METHODS.status, {}, token, PATIENCE_MS);
    const { memberId, revision } = status.header!;
    const { version } = status;
    if (status.leader === 0n) {
      // It would not answer the other questions.
      const problem = 'it has no leader: a majority of nodes is down';
      return { ...nothing, version, revision, problem, quotaBytes: null, alarms: [] };
    }
    const { members } = await endpoint.call(METHODS.members, {}, token, PATIENCE_MS);
    const { alarms } = await endpoint.call(METHODS.alarms, {}, token, PATIENCE_MS);
    return {
      url,
      problem: null,
      name: members.find(({ id }) => id === memberId)?.name ?? '',
      version,
      isLeader: status.leader === memberId,
      revision,
      bytes: status.dbSize,
      bytesInUse: status.dbSizeInUse,
      quotaBytes: await readQuota(url, settings),
      alarms: alarms
        .filter((alarm) => alarm.memberId === memberId)
        .map(({ kind }) => ALARMS[kind] ?? `alarm ${String(kind)}`),
    };
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
    return { ...nothing, problem: error.message, quotaBytes: null, alarms: [] };
  }
}

/** A node's quota is only available from its metrics. */
async function readQuota(url: string, settings: EtcdSettings): Promise<number | null> {
  try {
    const text = await fetchMetrics(url, settings);
    const bytes = /^etcd_server_quota_backend_bytes (\S+)$/m.exec(text)?.[1];
    return bytes === undefined ? null : Number(bytes);
  } catch {
    return null;
  }
}

function fetchMetrics(url: string, { ca, client }: EtcdSettings): Promise<string> {
  return new Promise((resolve, reject) => {
    const target = new URL('/metrics', url);
    const trust = {
      ...(ca === null ? {} : { ca }),
      ...(client === null ? {} : { cert: client.cert, key: client.key }),
    };
    const options = { signal: AbortSignal.timeout(PATIENCE_MS), agent: false, ...trust };
    const request = target.protocol === 'https:' ? getSecure(target, options) : getPlain(target, options);
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_METRICS) request.destroy(new Error('too long'));
      });
      response.on('error', reject);
      response.on('end', () => {
        resolve(text);
      });
    });
  });
}

function nameIn(value: Uint8Array): string | null {
  try {
    const said = JSON.parse(Buffer.from(value).toString('utf8')) as { name?: unknown } | null;
    return typeof said?.name === 'string' ? said.name : null;
  } catch {
    return null;
  }
}
