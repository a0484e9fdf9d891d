import assert from 'node:assert/strict';
import test from 'node:test';
import type { Entry } from '../../../src/registry/entry.js';
import { CopyKeeper } from '../../../src/registry/etcd/following/copy-keeper.js';
import { type ProviderEntry, type ProviderRecord, recordAfter } from '../../../src/registry/etcd/record.js';
import { systemTimers } from '../../../src/lib/timers.js';
import type { CopyChange, CopyMark, LocalCopy } from '../../../src/registry/local-copy.js';
import { advertised } from '../../support/data/entries.js';
import { until } from '../../support/hubs/etcd.js';
import { advertisementOf, T0, TestLog } from '../mirror/support.js';

/** A copy that remembers which advertisements it contains, and where it stands. */
class MemoryCopy implements LocalCopy {
  readonly contents = new Map<string, string | null>();
  at: CopyMark | null = null;

  mark(): Promise<CopyMark | null> {
    return Promise.resolve(this.at);
  }

  newest(): Promise<never[]> {
    return Promise.resolve([]);
  }

  load(): Promise<never> {
    return Promise.reject(new Error('nobody starts from it'));
  }

  clear(): Promise<void> {
    this.contents.clear();
    this.at = null;
    return Promise.resolve();
  }

  write(changes: readonly CopyChange[], mark: CopyMark | null): Promise<void> {
    for (const change of changes) {
      if (change.kind !== 'record') continue;
      const { standing, content } = change;
      const before = this.contents.get(standing.providerId) ?? null;
      this.contents.set(
        standing.providerId,
        content === null ? before : (content.advertisement?.country ?? null),
      );
    }
    this.at = mark ?? this.at;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const recordOf = (before: ProviderRecord | null, entry: Entry): ProviderRecord =>
  recordAfter(before, entry as ProviderEntry, 'hub/1')!;

// Whoever attaches while a copy is made had no advertisement in it, and was gone after the next start.
for (const isApplied of [
  'before the record is read',
  'while the record is on its way',
  'after it has come',
]) {
  test(`a session that begins while the copy is filled, applied ${isApplied}, leaves out no advertisement`, async () => {
    const first = recordOf(null, advertised(advertisementOf('p')));
    const session = { providerId: 'p', hub: 'other', token: 1, from: null } as const;
    const second = recordOf(first, { kind: 'attach', ...session, at: T0, again: false });
    const copy = new MemoryCopy();
    let applied = 4;
    let stored = { revision: 4, record: first };
    let reads = 0;
    const apply = (): void => {
      applied = 18;
      keeper.changed('p', second, 18);
      keeper.reached();
    };
    const host = {
      epoch: () => 'e',
      position: () => applied,
      unchangedSince: () => applied,
      providers: () => ['p'].values(),
      revisionOf: () => applied,
      hubs: () => ['other'],
      read: async () => {
        reads += 1;
        if (reads > 1) return new Map([['p', stored]]);
        const answer = isApplied.startsWith('while') ? stored : { revision: 18, record: second };
        stored = { revision: 18, record: second };
        if (!isApplied.startsWith('after')) apply();
        await systemTimers.turn();
        if (isApplied.startsWith('after')) systemTimers.after(1, apply);
        return new Map([['p', answer]]);
      },
    };
    const keeper = new CopyKeeper(copy, systemTimers, host, new TestLog(), 0);
    const endTicks = systemTimers.every(1, () => {
      keeper.tick();
    });
    try {
      await until(() => copy.at?.revision === 18, 'that the copy is complete');
      assert.equal(copy.contents.get('p'), advertisementOf('p').country);
    } finally {
      endTicks();
      await keeper.close();
    }
  });
}
