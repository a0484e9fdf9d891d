import type { Copied, CopyChange, CopyMark, LocalCopy, Standing } from '../../src/registry/local-copy.js';
import type { KeptSink } from '../../src/registry/log.js';
import type { AdvertisementRecord, IdentityRecord } from '../../src/registry/store/records.js';
import { RowBatcher } from '../../src/registry/store/row-batch.js';
import { type Timers, passed } from '../../src/lib/timers.js';

/** How long the disk takes at most, in milliseconds. */
const DISK_MS = 1500;

interface Kept {
  standing: Standing;
  advertisement: AdvertisementRecord | null;
  identity: IdentityRecord | null;
}

/** What a machine has on its disk, whatever becomes of the hubs that run on it. */
export interface Disk {
  records: Map<string, Kept>;
  hubs: Set<string>;
  mark: CopyMark | null;
}

/** The local copy of one run of a hub: slow, and gone in the middle of things when that run ends. */
export class SimulatedCopy implements LocalCopy {
  readonly #disk: Disk;
  readonly #timers: Timers;
  readonly #random: () => number;
  readonly #marks: (mark: CopyMark) => CopyMark;

  /** @param marks What a mutant makes of a mark. */
  constructor(
    disk: Disk,
    timers: Timers,
    random: () => number,
    marks: (mark: CopyMark) => CopyMark = (mark) => mark,
  ) {
    this.#marks = marks;
    this.#disk = disk;
    this.#timers = timers;
    this.#random = random;
  }

  async mark(): Promise<CopyMark | null> {
    await this.#turns();
    return this.#disk.mark;
  }

  async newest(count: number): Promise<{ providerId: string; revision: number }[]> {
    await this.#turns();
    const standings = [...this.#disk.records.values()].map(({ standing }) => standing);
    return standings.sort((a, b) => b.revision - a.revision).slice(0, count);
  }

  async load(sink: KeptSink): Promise<Copied> {
    await this.#turns();
    const { records, hubs } = this.#disk;
    const rows = new RowBatcher();
    const bindings = new Map<string, IdentityRecord>();
    for (const [providerId, { standing, advertisement, identity }] of records) {
      const { needsSession, session } = standing;
      const isLive = !needsSession || (session !== null && hubs.has(session.hub));
      if (advertisement !== null) {
        const { resources, pricing, attributes } = advertisement;
        const texts = {
          resources: JSON.stringify(resources),
          pricing: JSON.stringify(pricing),
          attributes: JSON.stringify(attributes),
        };
        rows.add(advertisement, texts, isLive);
      }
      if (identity === null) continue;
      bindings.set(providerId, identity);
      sink.identity(identity);
    }
    if (!rows.isEmpty) sink.copied(rows.take());
    return {
      hubs: new Set(hubs),
      standings: [...records.values()].map(({ standing }) => standing),
      bindings,
    };
  }

  async clear(): Promise<void> {
    await this.#turns();
    this.#disk.records.clear();
    this.#disk.hubs.clear();
    this.#disk.mark = null;
  }

  async write(changes: readonly CopyChange[], mark: CopyMark | null): Promise<void> {
    await this.#turns();
    // All at once, as in a transaction.
    for (const change of changes) this.#change(change);
    if (mark !== null) this.#disk.mark = this.#marks(mark);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #change(change: CopyChange): void {
    const { records, hubs } = this.#disk;
    if (change.kind === 'gone') records.delete(change.providerId);
    else if (change.kind === 'record') {
      const { standing, content } = change;
      const before = records.get(standing.providerId) ?? { advertisement: null, identity: null };
      const { advertisement, identity } = content ?? before;
      records.set(standing.providerId, { standing, advertisement, identity });
    } else if (change.isRunning) hubs.add(change.hub);
    else hubs.delete(change.hub);
  }

  #turns(): Promise<void> {
    return passed(this.#timers, this.#random() * DISK_MS);
  }
}
