import type { StoreOverview } from '../../registry/etcd/overview.js';
import { counted } from '../answers/counted.js';
import { grid } from '../tables/grid.js';
import type { RunningHub } from './running-hubs.js';

const MB = 1024 * 1024;
/** Share of the quota from which on an operator has to do something. */
const NEARLY_FULL = 0.8;

/** What `discovery-hub cluster` shows: the store, its nodes, and the hubs. */
export function clusterTables(
  store: StoreOverview,
  asked: readonly RunningHub[],
  width: number | null,
): string {
  const { problem, epoch, revision, providers } = store;
  const known = `epoch ${epoch ?? 'none yet'} · revision ${String(revision)} · ${counted(providers)} known`;
  const head = problem === null ? known : 'the store does not answer';
  return [head, '', nodesTable(store, width), '', hubsTable(store, asked, width)].join('\n');
}

/** What an operator has to do something about, most urgent first. */
export function clusterTroubles(store: StoreOverview, asked: readonly RunningHub[]): string[] {
  const troubles: string[] = [];
  if (store.problem !== null) troubles.push(`the store: ${store.problem}`);
  for (const { url, problem, alarms, bytes, quotaBytes } of store.nodes) {
    if (problem !== null) troubles.push(`etcd ${url}: ${problem}`);
    for (const alarm of alarms)
      troubles.push(`etcd ${url}: alarm "${alarm}"; docs/cluster.md says what to do`);
    if (quotaBytes !== null && bytes > NEARLY_FULL * quotaBytes && alarms.length === 0) {
      const share = ((100 * bytes) / quotaBytes).toFixed(0);
      troubles.push(`etcd ${url}: ${share} % of its quota; docs/cluster.md says what to do`);
    }
  }
  if (store.isImporting) {
    troubles.push('an import was interrupted, or goes on: "discovery-hub cluster import" finishes it');
  }
  for (const { url, problem, hub, epoch } of asked) {
    // The cause of whatever else it says.
    if (store.problem === null && epoch !== null && epoch !== store.epoch) {
      troubles.push(
        `hub ${url}: it follows epoch ${epoch}, and the store has ${store.epoch ?? 'none'}: restart it, or correct DISCOVERY_ETCD_PREFIX here or there`,
      );
    } else if (problem !== null) troubles.push(`hub ${url}: ${problem}`);
    else if (store.problem !== null) continue;
    else if (hub === null || !store.hubs.some((one) => one.hub === hub)) {
      troubles.push(`hub ${url}: it does not use this store, or counts as dead there`);
    }
  }
  if (store.hubs.length === 0 && store.problem === null) troubles.push('no hub uses this store');
  return troubles;
}

function nodesTable({ nodes, revision }: StoreOverview, width: number | null): string {
  const cells = (of: (node: StoreOverview['nodes'][number]) => string): string[] => nodes.map(of);
  const state = ({ problem, isLeader, alarms }: StoreOverview['nodes'][number]): string => {
    if (problem !== null) return 'away';
    return [isLeader ? 'leader' : 'follower', ...alarms].join(', ');
  };
  const known = (problem: string | null, text: string): string => (problem === null ? text : '-');
  return grid(
    [
      { title: 'ETCD', cells: cells(({ url }) => url) },
      { title: 'NAME', cells: cells(({ name }) => name), expendable: 1 },
      { title: 'STATE', cells: cells(state) },
      { title: 'VERSION', cells: cells(({ version }) => version), expendable: 2 },
      {
        title: 'BEHIND',
        // They were asked one after the other, so some are ahead of what the first one said.
        cells: cells((node) => known(node.problem, String(Math.max(0, revision - node.revision)))),
        right: true,
      },
      {
        title: 'MB',
        cells: cells(({ problem, bytes }) => known(problem, (bytes / MB).toFixed(1))),
        right: true,
      },
      {
        title: 'QUOTA MB',
        cells: cells(({ quotaBytes }) => (quotaBytes === null ? '?' : (quotaBytes / MB).toFixed(0))),
        right: true,
      },
    ],
    width,
  );
}

/** The hubs that the store knows, and those that were asked, which may be others. */
function hubsTable(
  { hubs, revision }: StoreOverview,
  asked: readonly RunningHub[],
  width: number | null,
): string {
  const strangers = asked.filter(({ hub }) => !hubs.some((known) => known.hub === hub));
  const rows = [
    ...hubs.map((hub) => ({ ...hub, told: asked.find((one) => one.hub === hub.hub) })),
    ...strangers.map((told) => ({ hub: told.hub ?? '-', name: '-', leaseSeconds: null, told })),
  ];
  const told = (of: (hub: RunningHub) => number | string | null): string[] =>
    rows.map((row) => String(row.told === undefined ? '-' : (of(row.told) ?? '-')));
  return grid(
    [
      { title: 'HUB', cells: rows.map(({ name }) => name) },
      { title: 'RUN', cells: rows.map(({ hub }) => hub), expendable: 1 },
      { title: 'LEASE', cells: rows.map(({ leaseSeconds: left }) => leaseOf(left)), right: true },
      { title: 'URL', cells: told(({ url }) => url) },
      {
        title: 'BEHIND',
        cells: told(({ revision: own }) => (own === null ? null : Math.max(0, revision - own))),
        right: true,
      },
      { title: 'SESSIONS', cells: told(({ sessions }) => sessions), right: true },
    ],
    width,
  );
}

function leaseOf(seconds: number | null): string {
  if (seconds === null) return 'none';
  return seconds < 0 ? 'over' : `${String(seconds)} s`;
}
