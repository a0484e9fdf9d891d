import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CLOSE } from '../../../src/protocol/frames/close-codes.js';
import type { SendResult, Socket, SocketHandler } from '../../../src/gateway/transports/port.js';
import { FakeClock } from '../../support/fake-clock.js';
import { GatewayWorld } from '../../support/hubs/gateway.js';

const PROVIDERS = 2000;
const SECOND = 1000;
/** What the peer takes in a second, in bytes: the snapshot takes it longer than the hub waits for a sign of life. */
const RATE = 7000;
const SILENCE_S = 75;

/** A peer at the end of a thin line: what it is sent, pings included, arrives in order and in its own time. */
class ThinLine implements Socket {
  readonly peerAddress = '203.0.113.9';
  /** Whether the system takes what waits, so that the hub does not see it. */
  readonly #inSystem: boolean;
  readonly #answersPings: boolean;
  #waiting: (number | 'ping')[] = [];
  handler: SocketHandler | null = null;
  closedWith: number | null = null;

  constructor({ inSystem, answersPings }: { inSystem: boolean; answersPings: boolean }) {
    this.#inSystem = inSystem;
    this.#answersPings = answersPings;
  }

  get backlog(): number {
    return this.#waiting.reduce<number>((sum, item) => sum + (item === 'ping' ? 0 : item), 0);
  }

  get bufferedAmount(): number {
    return this.#inSystem ? 0 : this.backlog;
  }

  send(bytes: Uint8Array): SendResult {
    this.#waiting.push(bytes.length);
    return this.#inSystem ? 'sent' : 'queued';
  }

  ping(): void {
    this.#waiting.push('ping');
  }

  close(code: number): void {
    this.closedWith = code;
  }

  terminate(): void {
    assert.fail('it is not to be cut');
  }

  /** So many bytes arrive, and the pings before them. */
  take(bytes: number): void {
    const hadBacklog = this.backlog > 0;
    let left = bytes;
    while (this.#waiting.length > 0) {
      const [item] = this.#waiting;
      if (item === 'ping') {
        this.#waiting.shift();
        if (this.#answersPings) this.handler!.ponged();
      } else if (item! <= left) {
        left -= item!;
        this.#waiting.shift();
      } else {
        this.#waiting[0] = item! - left;
        break;
      }
    }
    if (!this.#inSystem && hadBacklog && this.backlog === 0) this.handler!.emptied();
  }
}

/** A subscriber to everything there is, over such a line. */
async function subscribe(
  line: ThinLine,
): Promise<(seconds: number, bytesPerSecond: number) => Promise<void>> {
  const clock = new FakeClock(1_740_063_600_000);
  const world = new GatewayWorld(clock, { heartbeatMs: 30 * SECOND });
  const payload = Buffer.from(
    JSON.stringify({
      ip_address: '203.0.113.7',
      country: 'SE',
      resources: { cpu: 4, memory: 8, storage: 40 },
    }),
  );
  await Promise.all(
    Array.from({ length: PROVIDERS }, (_, number) => {
      const claim = { publicKey: '5a'.repeat(32), t: clock.wall(), signature: '5a'.repeat(64) };
      const providerId = `p${String(number)}`;
      return world.gateway.writePath.advertise({ signed: true, providerId, ...claim }, payload, null);
    }),
  );
  line.handler = world.open(line);
  line.handler.message(Buffer.from(JSON.stringify({ type: 'subscribe', id: 1, filter: {} })), false);
  // A snapshot is made in steps that take as long as they take.
  for (let turn = 0; turn < 200; turn += 1) await nextTurn();
  return async (seconds, bytesPerSecond) => {
    for (let passed = 0; passed < seconds && line.closedWith === null; passed += 1) {
      line.take(bytesPerSecond);
      for (let tick = 0; tick < 5; tick += 1) {
        clock.advance(200);
        world.registry.tick();
        world.gateway.tick();
      }
      await nextTurn();
    }
  };
}

describe('a slow reader of a snapshot', () => {
  test('lives on while it reads, although the system holds more before a ping than it reads in time', async () => {
    const line = new ThinLine({ inSystem: true, answersPings: true });
    const pass = await subscribe(line);
    await pass(1, 0);
    assert.ok(line.backlog > RATE * SILENCE_S, 'there is not enough to read');
    await pass(2 * SILENCE_S, RATE);
    assert.equal(line.closedWith, null);
    assert.ok(line.backlog < RATE);
  });

  test('lives on while it takes what waits in the hub, although its answers to pings are still to come', async () => {
    const line = new ThinLine({ inSystem: false, answersPings: false });
    const pass = await subscribe(line);
    await pass(2, 0);
    await pass(SILENCE_S + 5, RATE / 2);
    assert.ok(line.backlog > 0, 'there is not enough to take');
    assert.equal(line.closedWith, null);
  });

  test('is closed when it stops reading, as too slow or as silent', async () => {
    for (const [inSystem, code, seconds] of [
      [false, CLOSE.tooSlow, 12],
      [true, CLOSE.heartbeatLost, SILENCE_S + 2],
    ] as const) {
      const line = new ThinLine({ inSystem, answersPings: true });
      const pass = await subscribe(line);
      await pass(seconds, 0);
      assert.equal(line.closedWith, code);
    }
  });
});
