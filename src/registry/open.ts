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

/**
 * Reads what a log has kept, and has every change go through it from now on.
 * @throws Error as `OpenLog` does.
 */
export async function openRegistry<Kind extends Log>(
  open: OpenLog<Kind>,
  settings: RegistrySettings,
  clock: Clock,
): Promise<OpenRegistry<Kind>> {
  let registry = new Registry(settings, clock);
  let kept = 0;
  let counts: CountRecord[] = [];
  const sink: KeptSink = {
    clock: (anchor) => {
      registry.resumeClock(anchor);
    },
    identity: (record) => {
      registry.restore.identity(record);
    },
    expect: (advertisements) => {
      registry.restore.expect(advertisements);
    },
    rows: (batch) => {
      kept += batch.ids.length;
      registry.restore.rows(batch);
    },
    advertisement: (record) => {
      kept += 1;
      registry.restore.advertisement(record);
    },
    count: (record) => {
      counts.push(record);
    },
    isConsistent: () => registry.restore.isConsistent,
    reset: () => {
      registry = new Registry(settings, clock);
      kept = 0;
      counts = [];
    },
  };
  const log = await open(sink);
  registry.restore.finish();
  registry.keepIn(log);
  return { registry, log, kept, counts };
}
