import type { Clock } from '../lib/clock.js';
import type { KeptSink, Log, OpenLog } from './log.js';
import { Registry, type RegistrySettings } from './registry.js';
import type { CountRecord } from './store/records.js';

/** A registry restored from its log, which it now follows. */
export interface OpenRegistry<Kind extends Log> {
  registry: Registry;
  log: Kind;
  /** How many advertisements the log handed over, including those that had expired meanwhile. */
  kept: number;
  /** The per-address counts that the log handed over. */
  counts: readonly CountRecord[];
}

/** How much a start has restored so far. */
export interface Taken {
  /** Advertisements, including those that had expired meanwhile. */
  kept: number;
  /** How many there are; null until the log has said so. */
  expected: number | null;
}

/**
 * Restores what a log has kept, and routes every change through it from now on.
 * @param taken Updated as it progresses.
 * @throws Error like `OpenLog`.
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
    copied: (batch) => {
      taken.kept += batch.ids.length;
      registry.restore.copied(batch);
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
  try {
    registry.restore.finish();
    registry.keepIn(log);
  } catch (error) {
    // Otherwise it would go on, and a hub that is none would count as running.
    await log.close();
    throw error;
  }
  return { registry, log, kept: taken.kept, counts };
}
