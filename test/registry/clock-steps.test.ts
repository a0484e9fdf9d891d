import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/properties.js';
import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import { LIMITS } from '../../src/protocol/limits.js';
import { openRegistry } from '../../src/registry/open.js';
import type { Registry, SessionToken } from '../../src/registry/registry.js';
import type { SignedClaim } from '../../src/registry/write/claim.js';
import { WritePath } from '../../src/registry/write/write-path.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryDisk, MemoryLog } from '../support/worlds/memory-log.js';
import { sequences, type Step, steps } from '../support/worlds/steps.js';
import { describe, PAYLOAD, T0 } from '../support/worlds/write-bench.js';

const SECOND = 1000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
const EXPIRY_MS = 300 * SECOND;
const GRACE_MS = 60 * SECOND;
const TICK_MS = 200;
/** A clock is read at ticks, heartbeats are saved each second, and the machine tells its uptime to the second. */
const TOLERANCE_MS = 3 * SECOND;

const KEYS = ['aa', 'bb', 'cc', 'dd'].map((digits) => digits.repeat(32));

interface Model {
  /** When it last said something, in true milliseconds: it lives at least so long after it. */
  saidAt: number;
  /** The same, with an open session counted as a sign of life that never ends: it lives no longer after it. */
  heardAt: number;
  attached: SessionToken | null;
  /** True milliseconds until which the last restart lets it be. */
  grace: number;
  lastT: number;
  owner: string;
}

/** A hub that is restarted and killed, and whose wall clock is set, beside what was true all along. */
class ClockWorld {
  readonly clock = new FakeClock(T0);
  readonly #disk = new MemoryDisk();
  readonly #models = new Map<string, Model>();
  readonly #used: { claim: SignedClaim; id: string }[] = [];
  #log!: MemoryLog;
  #registry!: Registry;
  #writePath!: WritePath;
  /** Time as it really passes. */
  #true = 0;

  async start(): Promise<void> {
    const settings = { expiryMs: EXPIRY_MS, restartGraceMs: GRACE_MS, replayEvents: 100, cleanupMs: 2000 };
    const { registry, log } = await openRegistry(MemoryLog.in(this.#disk), settings, this.clock);
    this.#registry = registry;
    this.#log = log;
    this.#writePath = new WritePath(registry, log, () => Promise.resolve(true));
  }

  async advertise(index: number, withSession: boolean): Promise<void> {
    const id = `name-${String(index)}`;
    const known = this.#models.get(id);
    const owner = known?.owner ?? KEYS[index]!;
    if (withSession && (known?.attached ?? null) === null) {
      const { token, applied } = this.#registry.attach(id);
      await applied;
      const heard = this.#isListed(id) ? { heardAt: this.#true, saidAt: this.#true } : {};
      this.#models.set(id, { ...(known ?? this.#fresh(owner)), ...heard, attached: token });
    }
    const t = this.clock.wall();
    const claim: SignedClaim = { signed: true, providerId: id, publicKey: owner, t, signature: 'x' };
    const outcome = await this.#write(claim, this.#models.get(id)?.attached ?? null);
    if (t <= (known?.lastT ?? 0)) {
      assert.equal(outcome, 'AUTH_002', 'an older signature was taken');
      return;
    }
    assert.equal(outcome, 'accepted');
    this.#used.push({ claim, id });
    const model = this.#models.get(id) ?? this.#fresh(owner);
    this.#models.set(id, { ...model, heardAt: this.#true, saidAt: this.#true, lastT: t });
  }

  /** Somebody else signs for a name, now and with a captured signature. */
  async attack(index: number): Promise<void> {
    const id = `name-${String(index)}`;
    if ((this.#models.get(id)?.lastT ?? 0) === 0) return;
    const thief: SignedClaim = {
      signed: true,
      providerId: id,
      publicKey: 'ee'.repeat(32),
      t: this.clock.wall(),
      signature: 'x',
    };
    assert.equal(await this.#write(thief, null), 'AUTH_004', 'a bound name was taken over');
    for (const used of this.#used.filter((one) => one.id === id)) {
      assert.equal(await this.#write(used.claim, null), 'AUTH_002', 'a captured signature was taken again');
    }
  }

  pass(ms: number): void {
    for (let left = ms; left > 0; left -= TICK_MS) {
      this.#true += TICK_MS;
      this.clock.advance(TICK_MS);
      this.#registry.tick();
      for (const [id, model] of this.#models)
        if (model.attached !== null && this.#isListed(id)) model.heardAt = this.#true;
      if (this.#true % (30 * SECOND) === 0) {
        for (const [id, model] of this.#models) {
          if (model.attached === null) continue;
          this.#registry.heartbeat(id);
          if (this.#isListed(id)) model.saidAt = this.#true;
        }
      }
    }
    this.check();
  }

  set(ms: number): void {
    this.clock.jump(ms);
  }

  detach(index: number): void {
    const id = `name-${String(index)}`;
    const model = this.#models.get(id);
    if (model?.attached === null || model === undefined) return;
    this.#registry.detach(id, model.attached);
    model.attached = null;
  }

  /** The hub is away for a while, in which the clock may be set. */
  async restart(how: 'kill' | 'stop', away: number, step: number): Promise<void> {
    // What was heard of in the last second of a hub that is killed is in no file.
    this.pass(1400);
    if (how === 'stop') {
      this.#registry.flushHeartbeats();
      await this.#log.close();
    } else this.#log.crash();
    this.#true += away;
    this.clock.advance(away);
    this.clock.jump(step);
    await this.start();
    for (const model of this.#models.values()) {
      model.attached = null;
      model.grace = this.#true + GRACE_MS;
    }
    this.check();
  }

  /** Nobody lost, nobody immortal, and the times that are shown are those of the wall clock. */
  check(): void {
    for (const [id, { saidAt, heardAt, grace, lastT }] of this.#models) {
      if (lastT === 0) continue;
      const shown = this.#registry.advertisement(id);
      const age = this.#true - heardAt;
      const limit = Math.max(heardAt + EXPIRY_MS, grace);
      const isDue = this.#true - saidAt < EXPIRY_MS - TOLERANCE_MS;
      if (isDue) assert.ok(shown, `${id} is lost after ${String(age)} ms`);
      if (this.#true > limit + TOLERANCE_MS) assert.equal(shown, null, `${id} is immortal`);
      if (shown !== null) this.#checkTimes(id, shown, age);
    }
  }

  #checkTimes(id: string, shown: PublishedAdvertisement, age: number): void {
    const off = this.clock.wall() - age - Date.parse(shown.updated_at);
    // A session's heartbeats come each 30 s. The tick that notices a step is yet to come right after it.
    this.#registry.tick();
    const late = this.#registry.advertisement(id);
    if (late === null) return;
    const seen = this.clock.wall() - age - Date.parse(late.updated_at);
    assert.ok(
      Math.abs(seen) <= 30 * SECOND + TOLERANCE_MS,
      `${id} shows a time that is ${String(off)} ms off`,
    );
  }

  #isListed(id: string): boolean {
    return this.#registry.advertisement(id) !== null;
  }

  #fresh(owner: string): Model {
    return { saidAt: this.#true, heardAt: this.#true, attached: null, grace: 0, lastT: 0, owner };
  }

  async #write(claim: SignedClaim, session: SessionToken | null): Promise<string> {
    try {
      await this.#writePath.advertise(claim, Buffer.from(PAYLOAD), session);
      return 'accepted';
    } catch (error) {
      return describe(error);
    }
  }
}

type ClockStep = fc.Arbitrary<Step<ClockWorld, Promise<void> | void>>;

const index = fc.nat(KEYS.length - 1);
const step = fc.constantFrom(
  ...[SECOND, 10 * SECOND, HOUR, 31 * DAY, LIMITS.bindingLifetimeMs].flatMap((ms) => [ms, -ms]),
);

const anything: ClockStep = fc.oneof(
  steps('advertise', [index, fc.boolean()], (world: ClockWorld, who, withSession) =>
    world.advertise(who, withSession),
  ),
  steps('pass', [fc.constantFrom(1000, 5000, 40_000, 200_000)], (world: ClockWorld, ms) => {
    world.pass(ms);
  }),
  steps('set the clock', [step], (world: ClockWorld, ms) => {
    world.set(ms);
  }),
  steps('detach', [index], (world: ClockWorld, who) => {
    world.detach(who);
  }),
  steps('attack', [index], (world: ClockWorld, who) => world.attack(who)),
  steps(
    'restart',
    [
      fc.constantFrom<'kill' | 'stop'>('kill', 'stop'),
      fc.constantFrom(0, 1000, 20_000, 280_000, 400_000),
      fc.oneof(fc.constant(0), step),
    ],
    (world: ClockWorld, how, away, by) => world.restart(how, away, by),
  ),
);

test('whatever the wall clock is set to, before, during and after a restart, nobody is lost, nobody immortal and nothing replayed', async () => {
  await fc.assert(
    fc.asyncProperty(sequences(anything, 25), async (run) => {
      const world = new ClockWorld();
      await world.start();
      for (const one of run) await one.run(world);
    }),
    { numRuns: 200 },
  );
});
