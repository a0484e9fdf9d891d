import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { Intake, MAX_WAITING_BYTES, type Sender } from '../../../src/gateway/connections/intake.js';

const turn = () => new Promise<void>(setImmediate);

/** A hub to which each frame is so much work as its first byte says, in milliseconds. */
class World {
  readonly intake = new Intake(() => this.#now);
  readonly received: { from: Connection; frame: number[] }[] = [];
  #now = 0;

  connect(client = { intake: { work: 0, bytes: 0 } }): Connection {
    return new Connection(client, (from, frame) => {
      this.#now += frame[0] ?? 0;
      this.received.push({ from, frame: [...frame] });
    });
  }

  /** Frames of one connection, as read from its socket at once, into memory that is used again. */
  send(from: Connection, ...frames: number[][]): boolean[] {
    return frames.map((bytes) => {
      const borrowed = Uint8Array.from(bytes);
      const isTaken = this.intake.take(from, borrowed, true);
      borrowed.fill(0xff);
      return isTaken;
    });
  }

  async finish(): Promise<void> {
    for (let waited = 0; this.intake.bytes > 0; waited += 1) {
      assert.ok(waited < 10_000);
      await turn();
    }
  }
}

class Connection implements Sender {
  readonly client: Sender['client'];
  readonly #onFrame: (from: Connection, frame: Uint8Array) => void;

  constructor(client: Sender['client'], onFrame: (from: Connection, frame: Uint8Array) => void) {
    this.client = client;
    this.#onFrame = onFrame;
  }

  receive(frame: Uint8Array): void {
    this.#onFrame(this, frame);
  }
}

test('each frame is received once, those of a connection in their order, whatever the work', async () => {
  const frame = fc.tuple(fc.integer({ min: 0, max: 8 }), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(3), fc.array(frame, { maxLength: 8 }), fc.boolean()), { maxLength: 20 }),
      async (reads) => {
        const world = new World();
        const clients = [1, 2].map(() => ({ intake: { work: 0, bytes: 0 } }));
        const connections = [0, 0, 1, 1].map((client) => world.connect(clients[client]));
        for (const [which, frames, pauses] of reads) {
          world.send(connections[which]!, ...frames);
          if (pauses) await turn();
        }
        await world.finish();
        connections.forEach((connection, which) => {
          const sent = reads.filter(([from]) => from === which).flatMap(([, frames]) => frames);
          const received = world.received.filter(({ from }) => from === connection);
          assert.deepEqual(
            received.map((one) => one.frame),
            sent,
          );
          assert.equal(world.intake.waits(connection), false);
        });
        assert.deepEqual(
          clients.map(({ intake }) => intake.bytes),
          [0, 0],
        );
      },
    ),
    { numRuns: 50 },
  );
});

test('many frames that are read at once keep nobody else waiting: what is more than a share of the turn waits', async () => {
  const world = new World();
  const busy = world.connect();
  world.send(busy, ...Array.from({ length: 1000 }, () => [2]));
  const inOneTurn = world.received.length;
  assert.ok(inOneTurn <= 3, '3 ms in one turn, and what was begun');
  const other = world.connect();
  world.send(other, [0, 1]);
  assert.ok(world.received.every(({ from }) => from === busy));
  await turn();
  assert.ok(world.received.some(({ from }) => from === other));
  assert.ok(world.received.length <= 7, `${String(world.received.length)} frames in two turns`);
});

test('only so many bytes of a connection wait, and of an address', async () => {
  const world = new World();
  const frame = [5, ...Array.from({ length: 65_535 }, () => 1)];
  const fitting = MAX_WAITING_BYTES.connection / frame.length;
  const client = { intake: { work: 0, bytes: 0 } };
  const first = world.connect(client);
  assert.deepEqual(world.send(first, frame), [true]);
  const answers = world.send(first, ...Array.from({ length: fitting + 1 }, () => frame));
  assert.deepEqual(answers.lastIndexOf(true), fitting - 1);
  assert.deepEqual(answers.at(-1), false);
  const connections = MAX_WAITING_BYTES.address / MAX_WAITING_BYTES.connection;
  const others = Array.from({ length: connections - 1 }, () => world.connect(client));
  for (const other of others)
    assert.ok(world.send(other, ...Array.from({ length: fitting }, () => frame)).every(Boolean));
  assert.equal(client.intake.bytes, MAX_WAITING_BYTES.address);
  assert.deepEqual(world.send(world.connect(client), [5]), [false]);
  assert.deepEqual(world.send(world.connect(), [5]), [true], 'another address has room');
  // Of connections that are over nothing waits.
  for (const one of [first, ...others]) world.intake.drop(one);
  assert.equal(client.intake.bytes, 0);
  const before = world.received.length;
  await world.finish();
  assert.equal(world.received.length, before + 1);
});

test('a connection that ends with a frame receives none of those behind it', async () => {
  const world = new World();
  const ending = new Connection({ intake: { work: 0, bytes: 0 } }, (from, frame) => {
    world.received.push({ from, frame: [...frame] });
    if (frame[0] === 9) world.intake.drop(from);
  });
  world.send(world.connect(), [5]);
  world.send(ending, [1], [9], [2], [3]);
  await world.finish();
  assert.deepEqual(
    world.received.filter(({ from }) => from === ending).map(({ frame }) => frame[0]),
    [1, 9],
  );
});
