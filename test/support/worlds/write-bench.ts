import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import { ProtocolError } from '../../../src/protocol/errors.js';
import type { SignedClaim } from '../../../src/registry/write/claim.js';
import { Registry, type SessionToken } from '../../../src/registry/registry.js';
import { PayloadError } from '../../../src/registry/write/payload.js';
import { Verifier, type VerifySignature } from '../../../src/registry/write/verifier/verifier.js';
import { WritePath } from '../../../src/registry/write/write-path.js';
import { FakeClock } from '../fake-clock.js';
import { MemoryLog } from './memory-log.js';
import { type Action, type TestKey } from '../data/keys.js';

export const T0 = 1_740_063_600_000;
export const PAYLOAD =
  '{"ip_address":"203.0.113.7","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}';

/** An advertisement that differs by its name only. */
export function payloadNamed(name: string): string {
  return JSON.stringify({ ...(JSON.parse(PAYLOAD) as object), name });
}

/** A write path with a disk and a clock that the test holds in its hands. */
export class WriteBench {
  readonly clock = new FakeClock(T0);
  readonly persistence = new MemoryLog();
  readonly registry: Registry;
  readonly writePath: WritePath;
  #lastT = T0;

  constructor(options: { expiryMs?: number; cleanupMs?: number; verify?: VerifySignature } = {}) {
    const { expiryMs = 300_000, cleanupMs = 700 } = options;
    this.registry = new Registry(
      { expiryMs, restartGraceMs: 60_000, replayEvents: 100, cleanupMs },
      this.clock,
    );
    this.registry.keepIn(this.persistence);
    this.writePath = new WritePath(this.registry, this.persistence, options.verify ?? new Verifier().verify);
  }

  /** A signing time that is later than every one before it. */
  nextT(): number {
    this.#lastT = Math.max(this.#lastT + 1, this.clock.wall());
    return this.#lastT;
  }

  claim(key: TestKey, id: string, action: Action, payload: string, t = this.nextT()): SignedClaim {
    const signature = key.sign(action, id, t, payload);
    return { signed: true, providerId: id, publicKey: key.publicKey, t, signature };
  }

  /** Signs and advertises. */
  async advertise(
    key: TestKey,
    id: string,
    options: { payload?: string; t?: number; session?: SessionToken | null } = {},
  ): Promise<PublishedAdvertisement> {
    const payload = options.payload ?? PAYLOAD;
    const claim = this.claim(key, id, 'advertise', payload, options.t);
    const answer = await this.writePath.advertise(claim, Buffer.from(payload), options.session ?? null);
    return JSON.parse(answer.toString('utf8')) as PublishedAdvertisement;
  }

  /** Signs and withdraws. */
  withdraw(
    key: TestKey,
    id: string,
    options: { t?: number; session?: SessionToken | null } = {},
  ): Promise<void> {
    return this.writePath.withdraw(this.claim(key, id, 'withdraw', '', options.t), options.session ?? null);
  }

  /** Time passes in ticks of the hub. */
  run(ms: number): void {
    for (let passed = 0; passed < ms; passed += 200) {
      this.clock.advance(200);
      this.registry.tick();
    }
  }
}

/** What became of a promise, without waiting for it. */
export function outcome(promise: Promise<unknown>): { readonly state: string } {
  const seen = { state: 'pending' };
  promise.then(
    () => (seen.state = 'done'),
    (error: unknown) => (seen.state = describe(error)),
  );
  return seen;
}

/** The code of a refusal and whether it may pass, the problem with a payload, or the name of any other error. */
export function describe(error: unknown): string {
  if (error instanceof ProtocolError) return error.unavailable ? `${error.code}, unavailable` : error.code;
  if (error instanceof PayloadError) return `payload ${error.problem}`;
  return error instanceof Error ? error.name : String(error);
}

/** Waits for a refusal. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return describe(error);
  }
  return 'accepted';
}

/** Lets everything run that needs neither time nor the disk. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) await new Promise(setImmediate);
}
