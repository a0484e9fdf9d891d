import assert from 'node:assert/strict';
import test from 'node:test';
import { FanOut } from '../../src/streams/fan-out.js';
import type { Delivery } from '../../src/streams/stream.js';
import { CODECS } from '../../src/protocol/frames/codec.js';

/** A delivery of one frame to so many subscribers, and how many of them have it. */
function delivery(subscribers: number, frame: Uint8Array): { delivery: Delivery; sent: () => number } {
  let sent = 0;
  const subscriber = { codec: CODECS.json, writable: true, send: () => (sent += 1) };
  const rest = Array.from({ length: subscribers }, () => ({ state: 'live', seq: 0, subscriber })).values();
  const stream = { delivery: null };
  return {
    delivery: { stream, seq: 1, base: 0, frames: { json: frame }, rest } as unknown as Delivery,
    sent: () => sent,
  };
}

const turn = () => new Promise<void>(setImmediate);

test('a turn hands over so many frames, and fewer where they are large: 500 of 1 MB held everybody up', async () => {
  for (const [bytes, aTurn] of [
    [100, 10],
    [16 * 1024, 5],
    [1024 * 1024, 1],
  ] as const) {
    let done = 0;
    const fanOut = new FanOut(10, () => (done += 1));
    const { delivery: one, sent } = delivery(30, new Uint8Array(bytes));
    fanOut.add(one);
    fanOut.run();
    for (let turns = 1; turns <= 30 / aTurn; turns += 1) {
      assert.equal(sent(), turns * aTurn, `frames of ${String(bytes)} bytes after ${String(turns)} turns`);
      await turn();
    }
    await turn();
    assert.deepEqual([done, fanOut.idle], [1, true]);
  }
});
