import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { capacityOf, measureCapacity } from '../src/open-files.js';

describe('the room for connections', () => {
  test('leaves files for the hub itself and connections for plain requests', () => {
    assert.deepEqual(capacityOf(65_536, 36), { connections: 65_436, webSockets: 65_180 });
    assert.deepEqual(capacityOf(1024, 30), { connections: 930, webSockets: 813 });
    assert.deepEqual(capacityOf(200, 26), { connections: 149, webSockets: 130 });
  });

  test('is never nothing', () => {
    for (let limit = 0; limit < 100; limit += 1) {
      const { connections, webSockets } = capacityOf(limit, 30);
      assert.ok(webSockets >= 1 && webSockets < connections, `with ${limit} files`);
    }
  });

  test('is read from the system where that tells', () => {
    const { connections, webSockets } = measureCapacity();
    assert.ok(webSockets < connections || webSockets === Number.POSITIVE_INFINITY);
  });
});
