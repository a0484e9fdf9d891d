import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Backlog } from '../../../src/gateway/outgoing/backlog.js';
import { Outbox } from '../../../src/gateway/outgoing/outbox.js';
import type { GatewaySettings } from '../../../src/gateway/settings.js';
import { SlowSocket } from '../../support/clients/slow-socket.js';

const KB = 1024;

const TOTAL = 2048 * KB;
const settings = { maxQueuedBytes: 1024 * KB, maxTotalQueuedBytes: TOTAL } as GatewaySettings;

class Peer {
  readonly socket = new SlowSocket();
  readonly outbox: Outbox;
  isGivenUp = false;

  constructor(backlog: Backlog) {
    this.outbox = new Outbox(this.socket, false, settings, backlog, () => {
      this.isGivenUp = true;
      this.outbox.end();
    });
  }

  queue(bytes: number): boolean {
    return this.outbox.send(Buffer.alloc(bytes), 0);
  }
}

const peers = (count: number, backlog: Backlog): Peer[] =>
  Array.from({ length: count }, () => new Peer(backlog));
const givenUp = (all: readonly Peer[]): number[] =>
  all.flatMap(({ isGivenUp }, index) => (isGivenUp ? [index] : []));
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what waits', () => {
  test('is bounded for each connection', () => {
    const peer = new Peer(new Backlog(TOTAL));
    for (let sent = 0; sent < 1024; sent += 128) assert.ok(peer.queue(128 * KB));
    assert.equal(peer.queue(1), false);
  });

  test('is bounded for all connections together: the longest queues are given up, not whoever sends next', async () => {
    const backlog = new Backlog(TOTAL);
    const all = peers(6, backlog);
    for (const [index, kb] of [300, 700, 257, 300, 400, 60].entries()) assert.ok(all[index]!.queue(kb * KB));
    await nextTurn();
    assert.equal(backlog.bytes, 2017 * KB);
    assert.deepEqual(givenUp(all), []);
    assert.ok(all[2]!.queue(40 * KB), 'it is not the longest');
    await nextTurn();
    assert.deepEqual(givenUp(all), [1]);
    assert.equal(backlog.bytes, (2057 - 700) * KB);
    for (const { outbox } of all) outbox.end();
    assert.equal(backlog.bytes, 0);
  });

  test('counts as it is when somebody has to be given up', async () => {
    const backlog = new Backlog(TOTAL);
    const all = peers(4, backlog);
    for (const peer of all) assert.ok(peer.queue(500 * KB));
    all[0]!.socket.bufferedAmount = 300 * KB;
    assert.ok(all[1]!.queue(60 * KB));
    await nextTurn();
    assert.deepEqual(givenUp(all), [], 'one has taken enough meanwhile');
    assert.equal(backlog.bytes, 1860 * KB);
    all[0]!.socket.bufferedAmount = 0;
    assert.equal(all[0]!.outbox.emptied(), true);
    assert.equal(backlog.bytes, 1560 * KB);
  });

  test('goes down below the bound in one turn, however much came in it', async () => {
    const backlog = new Backlog(TOTAL);
    const all = peers(12, backlog);
    for (const [index, peer] of all.entries()) assert.ok(peer.queue((300 + index) * KB));
    await nextTurn();
    assert.ok(backlog.bytes <= TOTAL && backlog.bytes > TOTAL - 400 * KB);
    assert.deepEqual(givenUp(all), [6, 7, 8, 9, 10, 11]);
  });

  test('little of it never costs anybody the connection', async () => {
    const backlog = new Backlog(TOTAL);
    const all = peers(20, backlog);
    for (const peer of all) assert.ok(peer.queue(256 * KB));
    await nextTurn();
    assert.deepEqual(givenUp(all), []);
    assert.equal(all[3]!.outbox.isFull, false);
    assert.ok(all[3]!.queue(1));
    await nextTurn();
    assert.deepEqual(givenUp(all), [3]);
  });
});
