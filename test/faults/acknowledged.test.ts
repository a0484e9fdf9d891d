import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { watch } from '../../src/client/node.js';
import { freePort } from '../client/support/free-port.js';
import { HubProcess, scratchFolder } from '../process/hub-process.js';
import { CODEC_NAMES } from '../support/hubs/test-hub.js';
import type { TestSocket } from '../support/clients/test-socket.js';
import { until } from './faulty-hub.js';
import { agrees, list, RemoteProvider, send, type SignedRequest } from './remote.js';
import { scaled } from '../support/scale.js';
import { randomOf } from '../support/random.js';

const ROUNDS = scaled(3, 50);
const WRITERS = scaled(12, 24);
const DOORS = ['http', ...CODEC_NAMES] as const;

/** A provider that advertises and withdraws over and over, and remembers what the hub acknowledged. */
class Writer {
  readonly provider = new RemoteProvider();
  readonly sent: SignedRequest[] = [];
  /** The storage of the newest acknowledged advertisement; null after an acknowledged withdrawal. */
  acknowledged: number | null = null;
  /** What was under way when the hub was killed: its outcome is open. */
  open: { storage: number | null } | null = null;
  readonly #door: (typeof DOORS)[number];
  readonly #withdraws: boolean;
  #storage = 0;

  constructor(door: (typeof DOORS)[number], withdraws: boolean) {
    this.#door = door;
    this.#withdraws = withdraws;
  }

  /** Writes until the hub is killed. */
  async run(hub: HubProcess): Promise<void> {
    try {
      const session = this.#door === 'http' ? null : await this.provider.join(hub, this.#door);
      for (;;) await this.#write(hub, session);
    } catch (error) {
      if (!hub.child.killed) throw error;
    }
  }

  async #write(hub: HubProcess, session: TestSocket | null): Promise<void> {
    this.#storage += 1;
    const storage = this.#withdraws && this.#storage % 5 === 0 ? null : this.#storage;
    if (storage === null && this.acknowledged === null) return;
    const what = storage === null ? 'withdraw' : { resources: { cpu: 4, memory: 8, storage } };
    const t = this.provider.nextT();
    const request = this.provider.signed(what, t);
    this.open = { storage };
    if (session === null) {
      const { status, body } = await send(hub, request);
      assert.equal(status, 200, body.message);
    } else {
      session.send(this.provider.frame(what, t));
      await session.next(storage === null ? 'withdrawn' : 'advertised');
    }
    this.sent.push(request);
    this.acknowledged = storage;
    this.open = null;
  }

  /** After a restart: what was acknowledged is there, and none of it can be sent again. */
  async check(hub: HubProcess): Promise<void> {
    const present = (await this.provider.seen(hub))?.resources.storage ?? null;
    const possible = [this.acknowledged, ...(this.open === null ? [] : [this.open.storage])];
    assert.ok(possible.includes(present), `${this.#door}: ${String(present)} is none of ${possible.join()}`);
    this.acknowledged = present;
    this.open = null;
    for (const old of this.sent.slice(-6)) {
      const { status, body } = await send(hub, old);
      assert.deepEqual([status, body.code], [401, 'AUTH_002'], 'an older signed request is refused');
    }
  }
}

test(`kill -9 at ${ROUNDS} random moments under writes through every door loses nothing acknowledged, lets no replay in, and shows no false departure`, async (t) => {
  const random = randomOf(t);
  const folder = scratchFolder(t);
  const settings = {
    PORT: await freePort(),
    MESSAGES_PER_MINUTE: '0',
    // Longer than all rounds take, on any machine.
    ADVERTISEMENT_EXPIRY_SECONDS: '3600',
  };
  const writers = Array.from(
    { length: WRITERS },
    (_, index) => new Writer(DOORS[index % DOORS.length]!, index % 2 === 0),
  );
  const stays = new Set(writers.filter((_, index) => index % 2 === 1).map(({ provider }) => provider.id));
  const sent = (): number => writers.reduce((sum, one) => sum + one.sent.length, 0);
  let hub = await HubProcess.start(folder, settings);
  const departures: string[] = [];
  const watcher = watch(hub.url, {}, { codec: 'msgpack' });
  watcher.on('change', ({ type, advertisement: { provider_id } }) => {
    if (type === 'removed' && stays.has(provider_id)) departures.push(provider_id);
  });

  let startsCut = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const working = Promise.all(writers.map((writer) => writer.run(hub)));
    const before = sent();
    const wanted = WRITERS + Math.floor(random() * 400);
    const isEnough = until('enough writes', sent, (count) => count - before >= wanted);
    await Promise.race([isEnough, working]);
    await hub.kill();
    await working;
    if (round % 3 === 1) {
      // The moments of a start are random ones, too.
      const early = HubProcess.spawn(folder, settings);
      await delay(random() * 1000);
      await early.kill();
      assert.doesNotMatch(early.output, /cannot be read|"level":[56]0/);
      startsCut += early.output.includes('listening') ? 0 : 1;
    }
    hub = await HubProcess.start(folder, settings);
    assert.doesNotMatch(hub.output, /cannot be read|could not be understood/);
    await Promise.all(writers.map((writer) => writer.check(hub)));
  }
  await agrees(watcher, () => list(hub));
  assert.deepEqual(departures, []);
  await watcher.stop();
  assert.equal(await hub.stop(), 0);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes('unreadable')),
    [],
  );
  t.diagnostic(`${sent()} writes were acknowledged; ${startsCut} starts were cut short as well`);
});
