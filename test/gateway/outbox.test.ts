import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Backlog, Outbox } from '../../src/gateway/outbox.js';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import { SlowSocket } from '../support/slow-socket.js';

const KB = 1024;

const settings = { maxQueuedBytes: 1024 * KB, maxTotalQueuedBytes: 2048 * KB } as GatewaySettings;

function open(backlog: Backlog): { socket: SlowSocket; outbox: Outbox } {
  const socket = new SlowSocket();
  return { socket, outbox: new Outbox(socket, false, settings, backlog) };
}

describe('what waits', () => {
  test('is bounded for each connection', () => {
    const { outbox } = open({ bytes: 0 });
    for (let sent = 0; sent < 1024; sent += 128) assert.ok(outbox.send(Buffer.alloc(128 * KB), 0));
    assert.equal(outbox.send(Buffer.alloc(1), 0), false);
  });

  test('is bounded for all connections together: then those with much waiting are given up', () => {
    const backlog = { bytes: 0 };
    const many = Array.from({ length: 8 }, () => open(backlog));
    for (const { outbox } of many) assert.ok(outbox.send(Buffer.alloc(255 * KB), 0));
    assert.equal(backlog.bytes, 8 * 255 * KB);
    const [first, second, third] = many;
    assert.ok(first!.outbox.send(Buffer.alloc(8 * KB), 0), 'not too much for all together');
    assert.equal(second!.outbox.send(Buffer.alloc(8 * KB), 0), false, 'too much for all together');
    second!.outbox.end();
    assert.equal(backlog.bytes, 8 * 255 * KB + 8 * KB - 255 * KB);
    assert.ok(third!.outbox.send(Buffer.alloc(8 * KB), 0), 'that has made room');

    first!.socket.bufferedAmount = 0;
    assert.equal(first!.outbox.emptied(), true);
    assert.equal(backlog.bytes, 6 * 255 * KB + 8 * KB);
    for (const { outbox } of many) outbox.end();
    assert.equal(backlog.bytes, 0);
  });

  test('little of it never costs anybody the connection', () => {
    const backlog = { bytes: 3000 * KB };
    const { outbox } = open(backlog);
    assert.ok(outbox.send(Buffer.alloc(256 * KB), 0));
    assert.equal(outbox.isFull, false);
    assert.equal(outbox.send(Buffer.alloc(1), 0), false);
  });
});
