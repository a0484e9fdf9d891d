import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import { ChangeLog, type Difference, type GoneReason } from '../../src/registry/change-log.js';
import { AttributeColumns, CPU, LIVE, rowOf, USD, VALUES } from '../../src/registry/store/columns.js';
import { ValueNumbers } from '../../src/registry/store/value-numbers.js';
import { recordOf } from '../support/data/arbitraries.js';
import { sequences, steps } from '../support/worlds/steps.js';

const PLATFORM = VALUES.indexOf('platform');
const NETWORK = VALUES.indexOf('payments_network');
const IDS = ['a', 'b', 'c', 'd', 'e'];
/** Where the log stands before the first entry. */
const START = 7;

/** What an advertisement says, its texts as texts. */
interface State {
  cpu: number;
  platform: string | null;
  network: string | null;
  usdCore: number;
  live: boolean;
}

interface Logged {
  seq: number;
  id: string;
  before: State | null;
  reason: GoneReason | null;
}

/** A log with a small ring beside the whole history. */
class LogModel {
  readonly numbers = new ValueNumbers();
  readonly log: ChangeLog;
  readonly history: Logged[] = [];
  /** The position of the last entry. */
  position = 0;
  readonly #capacity: number;
  readonly #present = new Map<string, State>();
  readonly #columns = new AttributeColumns(IDS.length);

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.log = new ChangeLog('', capacity, this.numbers);
    this.position = START;
    this.log.startAt('e', START);
  }

  /**
   * The order is the store's: the log first, then the change itself.
   * @param gap How many entries there were since the last change; 0 where this belongs to the same.
   */
  change(id: string, next: State | null, reason: GoneReason, gap: number): void {
    const before = this.#present.get(id) ?? null;
    if (before === null && next === null) return;
    this.position += this.history.length === 0 ? 1 : gap;
    const slot = IDS.indexOf(id);
    const given = next === null ? reason : null;
    const beforeRow = this.log.append(
      this.position,
      id,
      before === null ? null : { columns: this.#columns, slot },
      given,
    );
    this.history.push({ seq: this.position, id, before, reason: given });
    this.#assertRow(beforeRow, before);
    if (before !== null) this.numbers.releaseRow(this.#columns, slot);
    if (next === null) {
      this.#present.delete(id);
    } else {
      this.#present.set(id, next);
      if (before === null) this.log.place(slot);
      this.#columns.write(slot, this.#row(next));
    }
  }

  check(): void {
    assert.equal(this.log.seq, this.position);
    const floor = this.history.at(-this.#capacity - 1)?.seq ?? START;
    for (let seq = START - 2; seq <= this.position + 2; seq += 1) {
      const isCovered = seq >= floor && seq <= this.position;
      assert.equal(this.log.covers(seq), isCovered, `covers ${String(seq)}`);
      if (isCovered) this.#checkSince(seq);
    }
  }

  #checkSince(seq: number): void {
    const missed = this.history.filter((change) => change.seq > seq);
    const since: Difference[] = [];
    this.log.since(seq, (difference) => since.push({ ...difference }) > 0);
    // Each once, in the order of their last changes.
    const ids = missed.map(({ id }) => id).filter((id, at, all) => all.lastIndexOf(id) === at);
    assert.deepEqual(
      since.map(({ providerId }) => providerId),
      ids,
    );
    for (const { providerId, beforeRow, slot, reason } of since) {
      const own = missed.filter(({ id }) => id === providerId);
      this.#assertRow(beforeRow, own[0]!.before);
      assert.equal(slot, this.#present.has(providerId) ? IDS.indexOf(providerId) : null);
      assert.equal(reason, own.findLast((change) => change.reason !== null)?.reason ?? null);
    }
    let looked = 0;
    this.log.since(seq, () => (looked += 1) < 2);
    assert.equal(looked, Math.min(2, since.length), 'it ends when it is told to');
  }

  #assertRow(row: number | null, expected: State | null): void {
    assert.equal(row === null, expected === null);
    if (row === null || expected === null) return;
    const { before } = this.log;
    assert.equal(before.amounts[CPU]![row], expected.cpu);
    assert.equal(before.flags[LIVE]![row], expected.live ? 1 : 0);
    assert.equal(before.prices[USD]![row], expected.usdCore);
    for (const [place, value] of [
      [PLATFORM, expected.platform],
      [NETWORK, expected.network],
    ] as const) {
      const number = value === null ? 0 : this.numbers.find(place, value);
      assert.equal(before.values[place]![row], number, `its ${VALUES[place]!} was given away`);
    }
  }

  /** Texts that the ring and the present rows need, and no others, are held. */
  checkHolders(): void {
    const states = this.history.slice(-this.#capacity).map(({ before }) => before);
    const needed = [...states, ...this.#present.values()].filter((state) => state !== null);
    const count = (texts: (string | null)[]) => new Set(texts.filter((one) => one !== null)).size;
    const platforms = count(needed.map(({ platform }) => platform));
    assert.equal(this.numbers.size, platforms + count(needed.map(({ network }) => network)));
  }

  #row({ cpu, platform, network, usdCore, live }: State): number[] {
    const record = recordOf('a', {
      ipAddress: '203.0.113.7',
      country: 'SE',
      resources: { cpu, memory: 1, storage: 1 },
      platform,
      pricing: Number.isNaN(usdCore)
        ? null
        : { usd_per_core_month: usdCore, usd_per_gb_ram_month: 0, usd_per_gb_storage_month: 0 },
      name: null,
      paymentsNetwork: network,
      attributes: null,
      endpoint: null,
    });
    return rowOf(
      record,
      live,
      (place, value) => this.numbers.acquire(place, value),
      (facts) => this.numbers.facts.put(facts),
    );
  }
}

const state: fc.Arbitrary<State> = fc.record({
  cpu: fc.integer({ min: 1, max: 4096 }),
  platform: fc.constantFrom(null, 'arm64', 'x86_64', 'riscv', 'mips'),
  network: fc.constantFrom(null, 'holesky', 'arm64'),
  usdCore: fc.constantFrom(0, 0.1, 1e300, Number.NaN),
  live: fc.boolean(),
});
const step = steps(
  'change',
  [
    fc.constantFrom(...IDS),
    fc.option(state, { freq: 3 }),
    fc.constantFrom<GoneReason>('expired', 'withdrawn'),
    fc.constantFrom(0, 1, 1, 1, 4),
  ],
  (model: LogModel, id, next, reason, gap) => {
    model.change(id, next, reason, gap);
  },
);

test('since any cursor that is covered, the log tells what the whole history tells', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), sequences(step, 40), (capacity, sequence) => {
      const model = new LogModel(capacity);
      for (const one of sequence) {
        one.run(model);
        model.checkHolders();
      }
      model.check();
    }),
    { numRuns: 400 },
  );
});

test('a log that is told to keep nothing still keeps the last change, which is being matched', () => {
  const log = new ChangeLog('e', 0, new ValueNumbers());
  assert.equal(log.append(1, 'a', null, null), null);
  assert.equal(log.covers(1), true);
  assert.equal(log.covers(0), true);
  assert.equal(log.append(2, 'b', null, null), null);
  assert.equal(log.covers(1), true);
  assert.equal(log.covers(0), false);
});

test('after a leap nothing before it is covered, however long the ring holds what came before', () => {
  const log = new ChangeLog('e', 2, new ValueNumbers());
  for (const seq of [1, 2]) log.append(seq, `p${String(seq)}`, null, null);
  log.leapTo(10);
  // Each takes the place of one from before the leap.
  for (const seq of [11, 12]) {
    log.append(seq, `p${String(seq)}`, null, null);
    assert.equal(log.covers(9), false);
    assert.equal(log.covers(10), true);
  }
});
