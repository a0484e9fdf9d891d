import type { Clock } from '../../../src/lib/clock.js';
import type { Entry } from '../../../src/registry/entry.js';
import { Registry, type RegistrySettings } from '../../../src/registry/registry.js';
import { MemoryLog } from './memory-log.js';

/** A registry with a log in memory, so that an entry that is proposed is applied at once. */
export class LoggedRegistry extends Registry {
  readonly log: MemoryLog;

  constructor(settings: RegistrySettings, clock: Clock, log = new MemoryLog()) {
    super(settings, clock);
    this.log = log;
    this.keepIn(log);
  }

  /** Has an entry applied. One that fails ends the test, as a rejection that nobody handles. */
  propose(entry: Entry): void {
    void this.log.propose(entry);
  }
}
