import assert from 'node:assert/strict';
import test from 'node:test';
import type { SendResult, Socket, SocketHandler } from '../../src/gateway/transports/port.js';
import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import type { DownFrame } from '../../src/protocol/frames/frames-down.js';
import { type Content, recordOf } from '../support/data/arbitraries.js';
import { FakeClock } from '../support/fake-clock.js';
import { GatewayWorld } from '../support/hubs/gateway.js';
import { settle } from '../support/worlds/write-bench.js';
import { listText } from '../support/data/list-text.js';
import { advertised } from '../support/data/entries.js';
import { CONTENT } from '../support/data/contents.js';

const T0 = 1_740_063_600_000;
/** A client that keeps what it holds, on a socket that may stop taking anything. */
class Client implements Socket {
  readonly peerAddress = '203.0.113.9';
  readonly bufferedAmount = 0;
  /** What the next frames meet with. */
  result: SendResult = 'sent';
  readonly held = new Map<string, PublishedAdvertisement>();
  readonly cursors: string[] = [];
  closedWith: number | null = null;
  authenticated = false;
  #handler: SocketHandler | null = null;

  opened(handler: SocketHandler): void {
    this.#handler = handler;
  }

  request(frame: object): void {
    this.#handler!.message(Buffer.from(JSON.stringify(frame)), false);
  }

  send(bytes: Uint8Array): SendResult {
    if (this.result !== 'dropped')
      this.#receive(JSON.parse(Buffer.from(bytes).toString('utf8')) as DownFrame);
    return this.result;
  }

  ping(): void {
    // Nobody looks at pings here.
  }

  close(code: number): void {
    this.closedWith = code;
    queueMicrotask(() => {
      this.#handler!.closed(code);
    });
  }

  terminate(): void {
    this.close(1006);
  }

  #receive(frame: DownFrame): void {
    if (frame.type === 'authenticated') this.authenticated = true;
    if (frame.type === 'snapshot')
      for (const one of frame.advertisements) this.held.set(one.provider_id, one);
    if (frame.type !== 'events') return;
    this.cursors.push(frame.cursor);
    for (const event of frame.events) {
      if (event.op === 'removed') this.held.delete(event.provider_id);
      else this.held.set(event.advertisement.provider_id, event.advertisement);
    }
  }
}

class Hub {
  readonly #world = new GatewayWorld(new FakeClock(T0));
  readonly registry = this.#world.registry;

  connect(): Client {
    const client = new Client();
    client.opened(this.#world.open(client));
    return client;
  }

  subscribe(client: Client, ...filters: object[]): void {
    filters.forEach((filter, index) => {
      client.request({ type: 'subscribe', id: index, filter });
    });
  }

  async authenticate(client: Client, providerId: string): Promise<void> {
    const proof = { public_key: 'ab'.repeat(32), t: T0, signature: 'cd'.repeat(64) };
    client.request({ type: 'authenticate', id: 'a', provider_id: providerId, ...proof });
    await settle();
    assert.ok(client.authenticated);
  }

  advertise(id: string, content: Content = CONTENT): void {
    void this.#world.log.propose(advertised(recordOf(id, content, { createdAt: T0, updatedAt: T0 })));
  }

  list(): PublishedAdvertisement[] {
    const answer = this.registry.list({ filter: {}, sort: 'id', limit: null, after: null });
    return JSON.parse(listText(answer)) as PublishedAdvertisement[];
  }
}

test('a provider whose connection breaks while events go out turns suspect for all who watch', async () => {
  const hub = new Hub();
  for (const id of ['p', 'q']) hub.advertise(id);
  const provider = hub.connect();
  const watchers = [hub.connect(), hub.connect()];
  hub.subscribe(watchers[0]!, {});
  // It watches too, and is sent its events in the midst of others.
  await hub.authenticate(provider, 'p');
  hub.subscribe(provider, {}, { cpu: 1 }, { cpu: 2 });
  hub.subscribe(watchers[1]!, { cpu: 3 });
  hub.subscribe(watchers[1]!, {});
  await settle();
  provider.result = 'dropped';
  hub.advertise('q', { ...CONTENT, name: 'changed' });
  await settle();
  assert.equal(provider.closedWith, 4507);
  assert.equal(hub.registry.advertisement('p')?.status, 'suspect');
  for (const watcher of watchers) {
    assert.deepEqual([...watcher.held.values()].sort(byId), hub.list());
    assert.equal(watcher.closedWith, null);
  }
});

function byId(a: PublishedAdvertisement, b: PublishedAdvertisement): number {
  return a.provider_id < b.provider_id ? -1 : 1;
}

test('what goes out under a cursor is the truth of that cursor, also when a connection breaks at that moment', async () => {
  const hub = new Hub();
  for (const id of ['p', 'q']) hub.advertise(id);
  const provider = hub.connect();
  await hub.authenticate(provider, 'p');
  hub.subscribe(provider, {});
  const watcher = hub.connect();
  hub.subscribe(watcher, { cpu: 2 });
  await settle();
  // Both change in one turn; the provider's own stream comes first, and breaks.
  provider.result = 'dropped';
  hub.advertise('p', { ...CONTENT, name: 'a' });
  hub.advertise('q', { ...CONTENT, name: 'b' });
  const before = hub.registry.cursor;
  const seen: string[] = [];
  const { held, cursors } = watcher;
  const flushed = new Promise<void>((resolve) => {
    setImmediate(() => {
      seen.push(...cursors, held.get('p')!.status);
      resolve();
    });
  });
  await flushed;
  assert.deepEqual(seen, [before, 'live'], 'the loss came after this cursor');
  await settle();
  assert.equal(watcher.held.get('p')?.status, 'suspect');
  assert.equal(watcher.cursors.at(-1), hub.registry.cursor);
});
