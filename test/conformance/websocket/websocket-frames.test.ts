import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as z from 'zod';
import { DOWN_SCHEMAS } from '../../../src/protocol/frames/frames-down-schemas.js';
import { TestKey } from '../../support/data/keys.js';
import type { Frame } from '../../support/clients/test-socket.js';
import { forEachPair, Provider, sessionFrame, unique, useHub } from '../websocket-support.js';

const RICH = {
  resources: { cpu: 8, memory: 32, storage: 500, gpu: 1 },
  platform: 'x86_64',
  pricing: { usd_per_core_month: 4, glm_per_core_month: 0.5, note: 'on request' },
  name: 'Näme 😀',
};

forEachPair('frames', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair, {}, { own: true });

  test('every frame that the hub sends is as its exact schema says, and every kind was seen', async () => {
    const seen = new Map<string, number>();
    const check = (frame: Frame): Frame => {
      const type = frame['type'] as keyof typeof DOWN_SCHEMAS;
      const schema: z.ZodType = DOWN_SCHEMAS[type];
      const result = schema.safeParse(frame);
      assert.ok(result.success, `${JSON.stringify(frame)}: ${result.error?.message ?? ''}`);
      seen.set(type, (seen.get(type) ?? 0) + 1);
      return frame;
    };
    const watcher = await hub().connect(codec);
    const ask = async (frame: Frame, answer: string): Promise<Frame> => {
      watcher.send(frame);
      return check(await watcher.next(answer));
    };
    const network = unique();
    check(await watcher.next('welcome'));
    const { stream } = await ask(
      { type: 'subscribe', id: 1, filter: { payments_network: network } },
      'subscribed',
    );
    check(await watcher.next('snapshot'));

    const key = new TestKey();
    const socket = await hub().connect(codec);
    const { nonce } = check(await socket.next('welcome'));
    socket.send(sessionFrame(hub(), key, nonce as string));
    check(await socket.next('authenticated'));
    socket.close();
    const provider = await Provider.join(hub(), codec, { key });
    // The least that an advertisement can say, more than it has to say, and the end of it.
    for (const frame of [
      provider.advertiseFrame({ payments_network: network }),
      provider.advertiseFrame({ ...RICH, payments_network: network }),
    ]) {
      provider.socket.send(frame);
      check(await provider.socket.next('advertised'));
      check(await watcher.next('events'));
    }
    await ask({ type: 'subscribe', id: '2', filter: { payments_network: network, cpu: 2 } }, 'subscribed');
    check(await watcher.next('snapshot'));
    provider.socket.send({ type: 'visibility', id: 'v' });
    check(await provider.socket.next('visibility'));
    provider.socket.send(provider.withdrawFrame());
    check(await provider.socket.next('withdrawn'));
    check(await watcher.next('events'));
    check(await watcher.next('events'));

    const elsewhere = await Provider.join(hub(), codec);
    await elsewhere.advertise();
    assert.equal((await hub().delete(elsewhere.key)).status, 200);
    check(await elsewhere.socket.next('removed'));

    await ask({ type: 'heartbeat' }, 'heartbeat');
    await ask({ type: 'unsubscribe', id: 3, stream }, 'unsubscribed');
    await ask({ type: 'unsubscribe', id: 4, stream }, 'error');
    await ask({ type: 'nonsense' }, 'error');
    await hub().advance(30_000);
    check(await watcher.next('bookmark', []));
    assert.deepEqual([...seen.keys()].sort(), Object.keys(DOWN_SCHEMAS).sort());
  });
});
