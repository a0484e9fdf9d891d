import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import fc from '../support/properties.js';
import type { ClockAnchor } from '../../src/lib/clock.js';
import { type DurableEntry, type Entry } from '../../src/registry/entry.js';
import { SharedLog } from '../../src/registry/etcd/shared-log.js';
import type { KeptSink, Log, OpenLog } from '../../src/registry/log.js';
import { Mirror } from '../../src/registry/mirror/mirror.js';
import type { AdvertisementRecord, CountRecord, IdentityRecord } from '../../src/registry/store/records.js';
import { advertised, bound, withdrawn } from '../support/data/entries.js';
import { TestEtcd } from '../support/hubs/etcd.js';
import { MemoryDisk, MemoryLog } from '../support/worlds/memory-log.js';
import { advertisementOf, identityOf, recordsIn, T0, TestLog, temporaryFolder } from './mirror/support.js';

/** An implementation of the port, and in what the contract leaves it free. */
export interface Kind {
  /** A way to open a new log again and again on what it has kept. */
  make: (t: TestContext) => OpenLog;
  /**
   * Whether other hubs share it. Then its epoch lasts as long as the store, several entries may be one step, those without effect leave no
   * trace, and only entries of one provider stand in the order of their proposals.
   */
  isShared: boolean;
}

/** The etcds of the tests below, by their size; each started when it is needed first. */
export const etcds = new Map<number, Promise<TestEtcd>>();
/** The logs that tests opened. */
export const opened = new Set<Log>();
after(async () => {
  // A test that failed has left its own open, whose timers would keep the process.
  await Promise.allSettled([...opened].map((log) => log.close()));
  for (const etcd of etcds.values()) await (await etcd).stop();
});

export function etcdOf(size: number): Kind {
  return {
    isShared: true,
    make: () => {
      let prefix: string | null = null;
      return async (sink) => {
        const started = etcds.get(size) ?? TestEtcd.cluster(size);
        etcds.set(size, started);
        const etcd = await started;
        prefix ??= etcd.prefix();
        const settings = {
          endpoints: etcd.urls,
          ca: null,
          client: null,
          user: null,
          prefix,
          hubName: 'test',
          markPath: null,
        };
        return SharedLog.in(settings, new TestLog())(sink);
      };
    },
  };
}

/** Every implementation of the port. */
export const LOGS: Record<string, Kind> = {
  'in memory': { make: () => MemoryLog.in(new MemoryDisk()), isShared: false },
  SQLite: {
    make: (t) => Mirror.in({ kind: 'file', path: join(temporaryFolder(t), 'hub.db') }, new TestLog()),
    isShared: false,
  },
  'etcd of one node': etcdOf(1),
  'etcd of three nodes': etcdOf(3),
};

/** What a log hands over when it is opened. */
export class Kept implements KeptSink {
  readonly advertisements = new Map<string, AdvertisementRecord>();
  readonly identities = new Map<string, IdentityRecord>();
  readonly counts = new Map<string, CountRecord>();
  expected = 0;
  anchor: ClockAnchor | null = null;

  clock(anchor: ClockAnchor): void {
    assert.equal(this.advertisements.size, 0, 'the clock comes before all else');
    this.anchor = anchor;
  }

  expect(advertisements: number): void {
    this.expected = advertisements;
  }

  rows(batch: Parameters<KeptSink['rows']>[0]): void {
    for (const record of recordsIn(batch)) this.advertisement(record);
  }

  copied(): void {
    assert.fail('there is no copy here');
  }

  advertisement(record: AdvertisementRecord): void {
    this.advertisements.set(record.providerId, record);
  }

  identity(record: IdentityRecord): void {
    this.identities.set(record.providerId, record);
  }

  count(record: CountRecord): void {
    this.counts.set(`${record.kind} ${record.key}`, record);
  }

  isConsistent(): boolean {
    return this.advertisements.size === this.expected;
  }

  reset(): void {
    assert.fail('nothing here is unreadable');
  }

  /** A shared log hands over what it keeps as entries. */
  entry(entry: Entry): void {
    if (entry.kind === 'advertise') this.advertisement(entry.record);
    if (entry.kind === 'advertise' && entry.identity !== null) this.identity(entry.identity);
    if (entry.kind === 'bind') this.identity(entry.identity);
  }
}

/** A log that was just opened, and what it delivers. */
export class Opened<Kind extends Log> {
  readonly delivered: { entry: Entry; position: number }[] = [];
  readonly log: Kind;
  readonly kept: Kept;

  private constructor(log: Kind, kept: Kept) {
    this.log = log;
    this.kept = kept;
    let isKept = true;
    log.deliverTo((entry, position) => {
      if (isKept) kept.entry(entry);
      else this.delivered.push({ entry, position });
    });
    isKept = false;
  }

  static async on<Kind extends Log>(open: OpenLog<Kind>): Promise<Opened<Kind>> {
    const kept = new Kept();
    const log = await open(kept);
    opened.add(log);
    return new Opened(log, kept);
  }

  get names(): string[] {
    return this.delivered.map(({ entry }) => nameOf(entry));
  }
}

export function nameOf(entry: Entry): string {
  if (entry.kind === 'advertise') return `advertise ${entry.record.providerId}`;
  if (entry.kind === 'end') return `end ${entry.hub}`;
  return `${entry.kind} ${entry.kind === 'bind' ? entry.identity.providerId : entry.providerId}`;
}

/** An entry of each kind, in turn, each of which changes what is known. */
export function entryAt(index: number, hub: string): Entry {
  const step = Math.floor(index / 6);
  const providerId = `p${String(step % 7)}`;
  switch (index % 6) {
    case 0:
      return { kind: 'attach', providerId, hub, token: step, at: T0, from: null, again: false };
    case 1:
      return bound(identityOf(providerId));
    case 2:
      return advertised(advertisementOf(providerId), identityOf(providerId));
    case 3:
      return { kind: 'detach', providerId, hub, token: step, heartbeatAgeMs: 0 };
    case 4:
      return { kind: 'expire', providerId, seenAt: T0 };
    default:
      return withdrawn(providerId, identityOf(providerId));
  }
}

/** The provider that an entry is about; for one of a hub, that. */
export function subjectOf(entry: Entry): string {
  return nameOf(entry).split(' ')[1]!;
}

export const aFewIds = fc.constantFrom('a', 'b', 'c', 'd');
export const durable: fc.Arbitrary<DurableEntry> = fc.oneof(
  fc.tuple(aFewIds, fc.nat(1000)).map(([id, cpu]) => {
    const record = advertisementOf(id, { resources: { cpu: cpu + 1, memory: 1, storage: 1 } });
    return advertised(record, identityOf(id, { lastT: cpu }));
  }),
  fc.tuple(aFewIds, fc.boolean()).map(([id, signed]) => withdrawn(id, signed ? identityOf(id) : null)),
  fc.tuple(aFewIds, fc.nat(1000)).map(([id, lastT]) => bound(identityOf(id, { lastT }))),
);

/** What is left of advertisements after entries that were applied to plain maps. */
export function cpuAfter(entries: readonly DurableEntry[]): Map<string, number | undefined> {
  const rows = new Map<string, number | undefined>();
  for (const entry of entries) {
    if (entry.kind === 'advertise') rows.set(entry.record.providerId, entry.record.resources['cpu']);
    if (entry.kind === 'withdraw') rows.delete(entry.providerId);
  }
  return new Map([...rows].sort());
}

export function cpuIn({ advertisements }: Kept): Map<string, number | undefined> {
  return new Map([...advertisements].map(([id, { resources }]) => [id, resources['cpu']] as const).sort());
}
