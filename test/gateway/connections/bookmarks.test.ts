import assert from 'node:assert/strict';
import test from 'node:test';
import type { SendResult, Socket, SocketHandler } from '../../../src/gateway/transports/port.js';
import type { DownFrame } from '../../../src/protocol/frames/frames-down.js';
import { LIMITS } from '../../../src/protocol/limits.js';
import { type Content, recordOf } from '../../support/data/arbitraries.js';
import { advertised } from '../../support/data/entries.js';
import { FakeClock } from '../../support/fake-clock.js';
import { GatewayWorld } from '../../support/hubs/gateway.js';

const T0 = 1_740_063_600_000;
const TICK_MS = 200;
const CONTENT: Content = {
  ipAddress: '203.0.113.7',
  country: 'SE',
  resources: { cpu: 4, memory: 8, storage: 40 },
  platform: null,
  pricing: null,
  name: null,
  paymentsNetwork: null,
  attributes: null,
  endpoint: null,
};

/** A socket that may have much waiting. */
class Reader implements Socket {
  readonly peerAddress = '203.0.113.9';
  bufferedAmount = 0;
  readonly #sent: Uint8Array[] = [];
  handler: SocketHandler | null = null;

  send(bytes: Uint8Array): SendResult {
    this.#sent.push(bytes);
    return this.bufferedAmount > 0 ? 'queued' : 'sent';
  }

  request(frame: object): void {
    this.handler!.message(Buffer.from(JSON.stringify(frame)), false);
  }

  ping(): void {
    this.handler!.ponged();
  }

  close(code: number): void {
    assert.fail(`closed with ${String(code)}`);
  }

  terminate(): void {
    assert.fail('nobody is to be cut');
  }

  get frames(): DownFrame[] {
    return this.#sent.map((bytes) => JSON.parse(Buffer.from(bytes).toString('utf8')) as DownFrame);
  }

  get bookmarks(): string[] {
    return this.frames.flatMap((frame) => (frame.type === 'bookmark' ? [frame.cursor] : []));
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Hub {
  readonly #clock = new FakeClock(T0);
  readonly #world = new GatewayWorld(this.#clock);
  readonly registry = this.#world.registry;
  #changes = 0;

  connect(...filters: object[]): Reader {
    const reader = new Reader();
    reader.handler = this.#world.open(reader);
    filters.forEach((filter, id) => {
      reader.request({ type: 'subscribe', id, filter });
    });
    return reader;
  }

  change(): void {
    this.#changes += 1;
    const content = { ...CONTENT, name: `change ${String(this.#changes)}` };
    void this.#world.log.propose(advertised(recordOf('p', content, { createdAt: T0, updatedAt: T0 })));
  }

  /** Time passes; something changes right before each tick where that is asked for. */
  async pass(ms: number, options: { changing?: boolean } = {}): Promise<void> {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      this.#clock.advance(TICK_MS);
      this.registry.tick();
      if (options.changing === true) this.change();
      this.#world.gateway.tick();
      await nextTurn();
    }
  }
}

test('a bookmark that could not be sent, because much waited, is sent as soon as it can be', async () => {
  const hub = new Hub();
  const reader = hub.connect({ country: 'NO' });
  await hub.pass(LIMITS.bookmarkMs - 2 * TICK_MS);
  reader.bufferedAmount = 300 * 1024;
  // Its answer finds the outbox full.
  reader.request({ type: 'heartbeat' });
  hub.change();
  await hub.pass(4000);
  assert.deepEqual(reader.bookmarks, []);
  reader.bufferedAmount = 0;
  reader.handler!.emptied();
  assert.deepEqual(reader.bookmarks, [hub.registry.cursor], 'it is not due only in the next interval');
  await hub.pass(LIMITS.bookmarkMs - 2 * TICK_MS);
  assert.equal(reader.bookmarks.length, 1);
  await hub.pass(4 * TICK_MS);
  assert.equal(reader.bookmarks.length, 2);
});

test('a quiet stream gets bookmarks while another of its connection never rests', async () => {
  const hub = new Hub();
  // So many that a flush takes more than a turn.
  for (let other = 0; other < 510; other += 1) hub.connect({ country: 'SE' });
  const reader = hub.connect({ country: 'SE' }, { country: 'NO' });
  // Snapshots are made in steps that take as long as they take.
  for (let turn = 0; turn < 1000; turn += 1) await nextTurn();
  for (let interval = 1; interval <= 3; interval += 1) {
    await hub.pass(30_000, { changing: true });
    assert.ok(reader.bookmarks.length >= interval, `${String(reader.bookmarks.length)} bookmarks`);
  }
  // None goes back behind events that were sent before, or ahead of those that come after.
  let last = 0;
  for (const frame of reader.frames) {
    if (frame.type !== 'events' && frame.type !== 'bookmark') continue;
    const seq = Number(frame.cursor.split(':')[1]);
    assert.ok(
      frame.type === 'events' ? seq > last : seq >= last,
      `${frame.type} at ${String(seq)} after ${String(last)}`,
    );
    last = seq;
  }
});
