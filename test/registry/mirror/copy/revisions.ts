/**
 * What is written to copies, revision by revision. Run directly, it is a process that goes on with a copy until it is killed, and says how far
 * it was told to have come.
 */
import { fileURLToPath } from 'node:url';
import type { CopyChange, CopyMark, Standing } from '../../../../src/registry/local-copy.js';
import { FileCopy } from '../../../../src/registry/mirror/copy/file-copy.js';
import { advertisementOf, identityOf } from '../support.js';

const FILE = fileURLToPath(import.meta.url);
/** So many providers take turns. */
const PROVIDERS = 40;
const PUBLIC_KEY = 'ab'.repeat(32);

/** What happens at a revision: a record that is different each time, or its end, or that of a hub. */
export function changeAt(revision: number): CopyChange {
  const providerId = `p-${String((revision * 7) % PROVIDERS)}`;
  if (revision % 11 === 0) return { kind: 'gone', providerId };
  if (revision % 13 === 0)
    return { kind: 'hub', hub: `hub-${String(revision % 3)}`, isRunning: revision % 2 === 0 };
  const isAdvertised = revision % 5 !== 0;
  const proof = {
    publicKey: PUBLIC_KEY,
    t: revision,
    payload: '{"some":"thing"}',
    signature: 'cd'.repeat(64),
  };
  const standing: Standing = {
    providerId,
    revision,
    isAdvertised,
    needsSession: revision % 2 === 0,
    session: revision % 3 === 0 ? { hub: `hub-${String(revision % 4)}`, token: revision, from: null } : null,
    seenAt: revision,
  };
  return {
    kind: 'record',
    standing,
    content: {
      advertisement: isAdvertised ? advertisementOf(providerId, { createdAt: revision, proof }) : null,
      identity: identityOf(providerId, { publicKey: PUBLIC_KEY, lastT: revision }),
    },
  };
}

/** What a copy says. */
export interface Content {
  hubs: string[];
  standings: Standing[];
  /** When each advertisement was created, and whether it is live. */
  rows: [providerId: string, createdAt: number, isLive: boolean][];
  /** The last signed time of those without an advertisement. */
  bindings: [providerId: string, lastT: number][];
}

export const byId = <Row extends { providerId: string }>(rows: Iterable<Row>): Row[] =>
  [...rows].sort((a, b) => (a.providerId < b.providerId ? -1 : 1));

/** What a copy says that has all changes up to a revision, and none after. */
export function contentAt(revision: number): Content {
  const hubs = new Set<string>();
  const records = new Map<string, Extract<CopyChange, { kind: 'record' }>>();
  for (let at = 1; at <= revision; at += 1) {
    const change = changeAt(at);
    if (change.kind === 'gone') records.delete(change.providerId);
    else if (change.kind === 'record') records.set(change.standing.providerId, change);
    else if (change.isRunning) hubs.add(change.hub);
    else hubs.delete(change.hub);
  }
  const standings = byId([...records.values()].map(({ standing }) => standing));
  const advertised = standings.filter(({ isAdvertised }) => isAdvertised);
  const bare = standings.filter(({ isAdvertised }) => !isAdvertised);
  const isLive = ({ needsSession, session }: Standing): boolean =>
    !needsSession || (session !== null && hubs.has(session.hub));
  return {
    hubs: [...hubs].sort(),
    standings,
    rows: advertised.map((standing) => [standing.providerId, standing.revision, isLive(standing)]),
    bindings: bare.map(({ providerId, revision: lastT }) => [providerId, lastT]),
  };
}

export const markAt = (revision: number): CopyMark => ({ epoch: 'e', revision, since: revision - 1 });

/** Writes the revisions from one to another, several in each transaction. */
export async function writeFrom(
  copy: FileCopy,
  from: number,
  to: number,
  step: number,
  written: (revision: number) => void = () => undefined,
): Promise<void> {
  for (let at = from; at <= to; at += step) {
    const end = Math.min(at + step - 1, to);
    const changes = new Map<string, CopyChange>();
    for (let revision = at; revision <= end; revision += 1) {
      const change = changeAt(revision);
      if (change.kind === 'hub') changes.set(`hub ${change.hub}`, change);
      else changes.set(change.kind === 'gone' ? change.providerId : change.standing.providerId, change);
    }
    await copy.write([...changes.values()], markAt(end));
    written(end);
  }
}

const [, script, path] = process.argv;
if (script === FILE && path !== undefined) {
  const copy = new FileCopy(path);
  const mark = await copy.mark();
  if (mark === null) await copy.clear();
  await writeFrom(copy, (mark?.revision ?? 0) + 1, Number.MAX_SAFE_INTEGER, 3, (revision) => {
    process.stdout.write(`${String(revision)}\n`);
  });
}
