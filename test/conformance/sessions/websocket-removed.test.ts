import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADVERTISEMENT } from '../../support/hubs/test-hub.js';
import { forEachPair, Provider, useHub } from '../websocket-support.js';

const REMOVED = { type: 'removed', reason: 'withdrawn' };

forEachPair('a session whose advertisement is withdrawn', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair);

  test('by another way is told, once, and goes on: it may advertise again', async () => {
    const provider = await Provider.join(hub(), codec);
    await provider.advertise();
    assert.equal((await hub().delete(provider.key)).status, 200);
    assert.deepEqual(await provider.socket.settle(), [REMOVED]);
    assert.equal((await hub().delete(provider.key)).status, 404);
    assert.deepEqual(await provider.socket.settle(), [], 'there was nothing to withdraw');
    await provider.advertise();
    assert.equal((await provider.seen())?.status, 'live');
  });

  test('by another way is told also of what was posted by another way', async () => {
    const provider = await Provider.join(hub(), codec);
    assert.equal((await hub().post(provider.key, provider.id, ADVERTISEMENT)).status, 200);
    assert.equal((await hub().delete(provider.key)).status, 200);
    assert.deepEqual(await provider.socket.settle(), [REMOVED]);
  });

  test('by itself has its answer, and nothing more', async () => {
    const provider = await Provider.join(hub(), codec);
    await provider.advertise();
    await provider.withdraw();
    assert.deepEqual(await provider.socket.settle(), []);
  });

  test('is told where it is the newest one; others hear nothing', async () => {
    const first = await Provider.join(hub(), codec);
    await first.advertise();
    const second = await first.rejoin();
    const other = await Provider.join(hub(), codec);
    assert.equal(await first.socket.closeCode(), 4409);
    await hub().delete(first.key);
    assert.deepEqual(await second.socket.settle(), [REMOVED]);
    assert.deepEqual(await other.socket.settle(), []);
    assert.ok(!first.socket.frames.some(({ type }) => type === 'removed'));
  });
});
