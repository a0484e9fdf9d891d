import type { Clock } from '../lib/clock.js';
import type { KeptSink, Log, OpenLog } from './log.js';
import { Registry, type RegistrySettings } from './registry.js';
import type { CountRecord } from './store/records.js';

/** A registry that holds what its log has kept, and follows it from there. */
export interface OpenRegistry<Kind extends Log> {
  registry: Registry;
  log: Kind;
  /** Advertisements that the log handed over, those that had expired meanwhile included. */
  kept: number;
  /** What the log handed over of addresses. */
  counts: readonly CountRecord[];
}

/** What a start has taken back so far. */
export interface Taken {
  /** Advertisements, those that had expired meanwhile included. */
  kept: number;
  /** How many there are; null while the log has not said so. */
  expected: number | null;
}

/**
 * Reads what a log has kept, and has every change go through it from now on.
 * @param taken Is kept up to date while it goes on.
 * @throws Error as `OpenLog` does.
 */
export async function openRegistry<Kind extends Log>(
  open: OpenLog<Kind>,
  settings: RegistrySettings,
  clock: Clock,
  taken: Taken = { kept: 0, expected: null },
): Promise<OpenRegistry<Kind>> {
  let registry = new Registry(settings, clock);
  let counts: CountRecord[] = [];
  const sink: KeptSink = {
    clock: (anchor) => {
      registry.resumeClock(anchor);
    },
    identity: (record) => {
      registry.restore.identity(record);
    },
    expect: (advertisements) => {
      taken.expected = advertisements;
      registry.restore.expect(advertisements);
    },
    rows: (batch) => {
      taken.kept += batch.ids.length;
      registry.restore.rows(batch);
    },
    advertisement: (record) => {
      taken.kept += 1;
      registry.restore.advertisement(record);
    },
    count: (record) => {
      counts.push(record);
    },
    isConsistent: () => registry.restore.isConsistent,
    reset: () => {
      registry = new Registry(settings, clock);
      taken.kept = 0;
      taken.expected = null;
      counts = [];
    },
  };
  const log = await open(sink);
  registry.restore.finish();
  registry.keepIn(log);
  return { registry, log, kept: taken.kept, counts };
}
