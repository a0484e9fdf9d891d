import assert from 'node:assert/strict';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import type { Filter } from '../../../src/protocol/filters/filter.js';
import type { First } from '../../../src/protocol/filters/first.js';
import type { Change, GoneReason } from '../../../src/registry/change-log.js';
import type { AdvertisementRecord, ProofRecord } from '../../../src/registry/store/records.js';
import type { SessionToken } from '../../../src/registry/registry.js';
import { type Content, recordOf } from '../data/arbitraries.js';
import { FakeClock } from '../fake-clock.js';
import { LoggedRegistry } from './logged-registry.js';
import type { MemoryLog } from './memory-log.js';
import { list, matches, published } from './naive.js';
import { advertised, withdrawn } from '../data/entries.js';

export const T0 = 1_740_063_600_000;
const TICK_MS = 200;

const PROOF: ProofRecord = {
  publicKey: 'ab'.repeat(32),
  t: 1,
  payload: Buffer.from('{}'),
  signature: 'cd'.repeat(64),
};

/** What was true of one provider from one change on. */
export interface Version {
  seq: number;
  advertisement: PublishedAdvertisement | null;
  /** What can be compared: everything but the times that heartbeats move; null when it is gone. */
  text: string | null;
  reason: GoneReason | null;
}

interface Present {
  record: AdvertisementRecord;
  live: boolean;
  /** Service milliseconds. */
  deadline: number;
  advertisement: PublishedAdvertisement;
  text: string;
}

/** An advertisement without the times that heartbeats move. */
export function comparable(advertisement: PublishedAdvertisement): string {
  const { updated_at: _updated, expires_at: _expires, ...rest } = advertisement;
  return JSON.stringify(rest);
}

/**
 * A registry beside a model of plain objects that keeps all of its history. Every change that the registry makes
 * is checked the moment it makes it: it has to be the one that the model expects, and none may be missing.
 */
export class RegistryWorld {
  readonly clock = new FakeClock(T0);
  readonly registry: LoggedRegistry;
  readonly expiryMs: number;
  readonly #sessions = new Map<string, SessionToken>();
  readonly #present = new Map<string, Present>();
  readonly #versions = new Map<string, Version[]>();
  #now = 0;
  #changedAt = 0;
  /** The change that is due; `undefined` for none, `expiry` while time passes. */
  #due: { id: string; text: string | null; reason: GoneReason | null } | 'expiry' | undefined;

  /** @param log One of its own, to be looked into. */
  constructor(settings: { expiryMs?: number; replayEvents?: number } = {}, log?: MemoryLog) {
    this.expiryMs = settings.expiryMs ?? 2000;
    this.registry = new LoggedRegistry(
      {
        expiryMs: this.expiryMs,
        restartGraceMs: 1000,
        replayEvents: settings.replayEvents ?? 1000,
        cleanupMs: 1000,
      },
      this.clock,
      log,
    );
    // The first listener, so that it sees each change before whoever else is told of it.
    this.registry.onChange((change) => {
      this.#changed(change);
    });
  }

  /** The position of the last change. */
  get seq(): number {
    return this.#changedAt;
  }

  isPresent(id: string): boolean {
    return this.#present.has(id);
  }

  isAttached(id: string): boolean {
    return this.#sessions.has(id);
  }

  // ---- what may happen --------------------------------------------------------------------------------------

  advertise(id: string, content: Content, options: { overSession?: boolean; signed?: boolean } = {}): void {
    const overSession = options.overSession === true;
    const known = this.#present.get(id);
    const record = recordOf(id, content, {
      createdAt: known?.record.createdAt ?? this.clock.wall(),
      updatedAt: this.clock.wall(),
      proof: options.signed === false ? null : PROOF,
    });
    // What came over a session that has ended meanwhile is suspect.
    this.#expect(id, record, !overSession || this.#sessions.has(id), () => {
      this.registry.propose(advertised(record, null, overSession));
    });
  }

  /** The same advertisement once more. */
  repeat(id: string): void {
    const known = this.#present.get(id);
    if (known !== undefined) this.advertise(id, known.record, { signed: known.record.proof !== null });
  }

  withdraw(id: string): void {
    if (this.#present.delete(id)) this.#due = { id, text: null, reason: 'withdrawn' };
    this.registry.propose(withdrawn(id));
    this.#nothingMissing();
  }

  heartbeat(id: string): void {
    const known = this.#present.get(id);
    if (known !== undefined) known.deadline = this.#now + this.expiryMs;
    this.registry.heartbeat(id);
    this.#nothingMissing();
  }

  attach(id: string): void {
    const attach = () => {
      this.#sessions.set(id, this.registry.attach(id).token);
    };
    const known = this.#present.get(id);
    if (known === undefined) attach();
    else this.#expect(id, known.record, true, attach);
  }

  detach(id: string): void {
    const token = this.#sessions.get(id);
    if (token === undefined) return;
    this.#sessions.delete(id);
    const detach = () => {
      this.registry.detach(id, token);
    };
    const known = this.#present.get(id);
    if (known === undefined) {
      detach();
      return;
    }
    const { deadline } = known;
    this.#expect(id, known.record, false, detach);
    // The end of a session is no heartbeat.
    this.#present.get(id)!.deadline = deadline;
  }

  /** Time passes in ticks of the hub. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= TICK_MS) {
      const step = Math.min(left, TICK_MS);
      this.clock.advance(step);
      this.#now += step;
      this.#due = 'expiry';
      this.registry.tick();
      this.#due = undefined;
      for (const [id, { deadline }] of this.#present)
        assert.ok(deadline + TICK_MS > this.#now, `${id} should have expired`);
    }
  }

  // ---- what was true when -----------------------------------------------------------------------------------

  /** The providers that match at a sequence number, with what can be compared of them. */
  matching(filter: Filter, seq: number): Map<string, string> {
    const found = new Map<string, string>();
    for (const id of this.#versions.keys()) {
      const version = this.at(id, seq);
      if (version?.advertisement && matches(filter, version.advertisement)) found.set(id, version.text!);
    }
    return found;
  }

  /** The first matches at a sequence number, as `matching`, in order. */
  first(filter: Filter, { sort, limit }: First, seq: number): Map<string, string> {
    const all = [...this.#versions.keys()].flatMap((id) => this.at(id, seq)?.advertisement ?? []);
    const found = list(all, filter, sort).slice(0, limit);
    return new Map(found.map((one) => [one.provider_id, comparable(one)]));
  }

  /** What was true of a provider at a sequence number; undefined before its first change. */
  at(id: string, seq: number): Version | undefined {
    return this.#versions.get(id)?.findLast((version) => version.seq <= seq);
  }

  /** The changes of a provider after one sequence number and up to another. */
  between(id: string, after: number, upTo: number): Version[] {
    return (this.#versions.get(id) ?? []).filter(({ seq }) => seq > after && seq <= upTo);
  }

  // ---- the model --------------------------------------------------------------------------------------------

  #expect(id: string, record: AdvertisementRecord, live: boolean, act: () => void): void {
    const advertisement = published(record, { updatedAt: 0, expiresAt: 0 }, live);
    const text = comparable(advertisement);
    if (this.#present.get(id)?.text !== text) this.#due = { id, text, reason: null };
    this.#present.set(id, { record, live, deadline: this.#now + this.expiryMs, advertisement, text });
    act();
    this.#nothingMissing();
  }

  #nothingMissing(): void {
    assert.equal(this.#due, undefined, 'the registry has not made a change that was due');
  }

  #changed({ seq, providerId, reason }: Change): void {
    assert.equal(seq, this.registry.log.position, 'a change that is not where its entry is');
    assert.ok(seq > this.#changedAt, 'two changes of one entry');
    this.#changedAt = seq;
    const due = this.#due;
    assert.ok(due !== undefined, `the registry made a change of ${providerId} although nothing changed`);
    if (due === 'expiry') {
      assert.equal(reason, 'expired');
      const { deadline } = this.#present.get(providerId)!;
      assert.ok(deadline <= this.#now, `${providerId} expired early`);
      this.#present.delete(providerId);
    } else {
      assert.equal(providerId, due.id);
      assert.equal(reason, due.reason);
      this.#due = undefined;
    }
    const present = this.#present.get(providerId);
    const version: Version = {
      seq,
      advertisement: present?.advertisement ?? null,
      text: present?.text ?? null,
      reason,
    };
    const versions = this.#versions.get(providerId);
    if (versions === undefined) this.#versions.set(providerId, [version]);
    else versions.push(version);
  }
}
