import assert from 'node:assert/strict';
import test from 'node:test';
import type { SendResult, Socket, SocketHandler } from '../../../src/gateway/transports/port.js';
import { FakeClock } from '../../support/fake-clock.js';
import { GatewayWorld } from '../../support/hubs/gateway.js';

const HEARTBEAT_MS = 2000;
const TICK_MS = 200;
const CROWD = 1000;

class PingedSocket implements Socket {
  readonly peerAddress = '203.0.113.9';
  readonly bufferedAmount = 0;
  pings = 0;
  handler: SocketHandler | null = null;

  send(): SendResult {
    return 'sent';
  }

  ping(): void {
    this.pings += 1;
  }

  close(): void {
    assert.fail('nobody is to be closed');
  }

  terminate(): void {
    assert.fail('nobody is to be cut');
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a crowd that came together is pinged at every interval, but not all of it in one turn', async () => {
  const clock = new FakeClock(1_740_063_600_000);
  const world = new GatewayWorld(clock, { heartbeatMs: HEARTBEAT_MS, maxConnections: CROWD });
  const sockets = Array.from({ length: CROWD }, () => {
    const socket = new PingedSocket();
    socket.handler = world.open(socket);
    return socket;
  });
  const pinged = (times: number): number => sockets.filter(({ pings }) => pings === times).length;
  for (const interval of [1, 2, 3]) {
    for (let passed = 0; pinged(interval - 1) === CROWD; passed += TICK_MS) {
      assert.ok(passed <= HEARTBEAT_MS + TICK_MS, 'the pings are late');
      for (const { handler } of sockets) handler!.ponged();
      clock.advance(TICK_MS);
      world.registry.tick();
      world.gateway.tick();
    }
    assert.ok(pinged(interval) < CROWD / 2, 'too many are pinged in one turn');
    // Another tick in between does no harm.
    world.gateway.tick();
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    assert.equal(pinged(interval), CROWD);
  }
});
