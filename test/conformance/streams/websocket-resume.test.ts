import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestKey } from '../../support/data/keys.js';
import { sharing } from '../../support/hubs/hubs.js';
import { ADVERTISEMENT, type TestHub } from '../../support/hubs/test-hub.js';
import { forEachPair, Provider, unique, useHub } from '../websocket-support.js';
import { assertIsList, brief, sequence, Watcher } from '../websocket-watcher.js';

/** Lets a hub's time pass until something has come. */
async function passUntil(hub: TestHub, what: Promise<unknown>): Promise<void> {
  const waiting = new Set([what]);
  const arrive = (): boolean => waiting.delete(what);
  what.then(arrive, arrive);
  while (waiting.size > 0) await hub.advance(500);
}

forEachPair('bookmarks and resuming', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair);

  test('a quiet subscription gets a bookmark at least every 30 s', async () => {
    const watcher = await Watcher.join(hub(), codec, { payments_network: unique() });
    for (let round = 0; round < 5; round += 1) {
      await hub().advance(30_000);
      const frames = await watcher.socket.settle();
      assert.ok(frames.length >= 1 && frames.length <= 6, `${String(frames.length)} frames`);
      for (const frame of frames) assert.deepEqual(Object.keys(frame).sort(), ['cursor', 'type']);
    }
  });

  test('a bookmark moves on with changes that do not concern the subscriber', async () => {
    const watcher = await Watcher.join(hub(), codec, { payments_network: unique() });
    const provider = await Provider.join(hub(), codec);
    const before = watcher.cursor;
    await provider.advertise();
    await hub().advance(30_000);
    assert.deepEqual(await watcher.events(), []);
    assert.ok(sequence(watcher.cursor) > sequence(before));
    const { headers } = await hub().get('/api/v1/advertisements?limit=1');
    assert.equal(watcher.cursor, headers.get('x-discovery-cursor'));
  });

  test('a connection without subscription gets none', async () => {
    const provider = await Provider.join(hub(), codec);
    await hub().advance(60_000);
    assert.deepEqual(await provider.socket.settle(), []);
  });

  test('a resume brings just what was missed, merged, and no snapshot', async () => {
    const filter = { payments_network: unique() };
    const [kept, gone, suspect, left, back] = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const provider = await Provider.join(hub(), codec);
        await provider.advertise(filter);
        return provider;
      }),
    );
    assert.ok(kept && gone && suspect && left && back);
    const watcher = await Watcher.join(hub(), codec, filter);
    watcher.socket.terminate();

    await kept.advertise({ ...filter, name: 'first' });
    const added = await Provider.join(hub(), codec);
    await added.advertise(filter);
    await gone.withdraw();
    await left.advertise({ payments_network: null });
    await back.withdraw();
    await back.advertise(filter);
    const passing = await Provider.join(hub(), codec);
    await passing.advertise(filter);
    await passing.withdraw();
    await kept.advertise({ ...filter, name: 'last' });
    suspect.socket.terminate();
    const observer = await Watcher.join(hub(), codec, { ...filter, status: 'live' });
    while (observer.view.has(suspect.id)) await observer.next();

    const resumed = await Watcher.join(hub(), codec, filter, { resume: watcher.position });
    assert.equal(resumed.resumed, true);
    assert.deepEqual(
      brief(await resumed.events()).sort(),
      [
        `added ${added.id} live`,
        `removed ${gone.id} withdrawn`,
        `removed ${left.id} unmatched`,
        `updated ${back.id} live`,
        `updated ${kept.id} live`,
        `updated ${suspect.id} suspect`,
      ].sort(),
    );
    await assertIsList(hub(), filter, resumed.view);
    await kept.advertise({ ...filter, name: 'and on' });
    assert.deepEqual(brief(await resumed.events()), [`updated ${kept.id} live`]);
  });

  test('a resume after an expiry says that it was one', async () => {
    const filter = { payments_network: unique() };
    const key = new TestKey();
    await hub().post(key, key.publicKey, { ...ADVERTISEMENT, ...filter });
    const watcher = await Watcher.join(hub(), codec, filter);
    watcher.socket.terminate();
    await hub().advance(301_000);
    const resumed = await Watcher.join(hub(), codec, filter, { resume: watcher.position });
    assert.deepEqual(brief(await resumed.events()), [`removed ${key.publicKey} expired`]);
  });

  test('a resume from the present brings nothing, and goes on from there', async () => {
    const filter = { payments_network: unique() };
    const provider = await Provider.join(hub(), codec);
    await provider.advertise(filter);
    const watcher = await Watcher.join(hub(), codec, filter);
    const resumed = await Watcher.join(hub(), codec, filter, { resume: watcher.position });
    assert.equal(resumed.resumed, true);
    assert.deepEqual(await resumed.events(), []);
    await provider.withdraw();
    assert.deepEqual(brief(await resumed.events()), [`removed ${provider.id} withdrawn`]);
  });

  test('a resume from the cursor of an events frame, or a bookmark, is exact', async () => {
    const filter = { payments_network: unique() };
    const provider = await Provider.join(hub(), codec);
    const watcher = await Watcher.join(hub(), codec, filter);
    await provider.advertise(filter);
    await watcher.events();
    const afterEvents = watcher.position;
    await hub().advance(30_000);
    await watcher.events();
    const afterBookmark = watcher.position;
    await provider.advertise({ ...filter, name: 'missed' });
    for (const resume of [afterEvents, afterBookmark]) {
      const resumed = await Watcher.join(hub(), codec, filter, { resume });
      assert.equal(resumed.resumed, true);
      assert.deepEqual(brief(await resumed.events()), [`updated ${provider.id} live`]);
      await assertIsList(hub(), filter, resumed.view);
    }
  });

  test('a subscription can start where a list was true', async () => {
    const network = unique();
    const filter = { payments_network: network };
    const [first, second] = [await Provider.join(hub(), codec), await Provider.join(hub(), codec)];
    await first.advertise(filter);
    await second.advertise(filter);
    const { headers, body } = await hub().get<{ provider_id: string }[]>(
      `/api/v1/advertisements?payments_network=${network}`,
    );
    const cursor = headers.get('x-discovery-cursor') ?? '';
    await first.advertise({ ...filter, name: 'changed' });
    await second.withdraw();
    const view = new Map(body.map((advertisement) => [advertisement.provider_id, advertisement as never]));
    const resumed = await Watcher.join(hub(), codec, filter, { resume: { cursor, view } });
    assert.equal(resumed.resumed, true);
    assert.deepEqual(brief(await resumed.events()).sort(), [
      `removed ${second.id} withdrawn`,
      `updated ${first.id} live`,
    ]);
    await assertIsList(hub(), filter, resumed.view);
  });

  test('a resume with another filter is exact for that filter', async () => {
    const network = unique();
    const provider = await Provider.join(hub(), codec);
    const watcher = await Watcher.join(hub(), codec, { payments_network: network });
    await provider.advertise({ payments_network: network, country: 'FR' });
    const resume = { cursor: watcher.cursor, view: new Map<string, never>() };
    const filter = { payments_network: network, country: 'FR' };
    const resumed = await Watcher.join(hub(), codec, filter, { resume });
    assert.deepEqual(brief(await resumed.events()), [`added ${provider.id} live`]);
  });

  test('what is no cursor of this hub is refused: not resumed, and a snapshot', async () => {
    const filter = { payments_network: unique() };
    const provider = await Provider.join(hub(), codec);
    await provider.advertise(filter);
    const { cursor } = await Watcher.join(hub(), codec, filter);
    const [epoch, seq] = cursor.split(':') as [string, string];
    for (const bad of [
      `${epoch === 'a' ? 'b' : 'a'}:${seq}`,
      `${epoch.toUpperCase()}x:${seq}`,
      `${epoch}:${String(Number(seq) + 1)}`,
      `${epoch}:9007199254740991`,
      `${epoch}:9007199254740993`,
      `${epoch}:-1`,
      `${epoch}:1.5`,
      `${epoch}:0x1`,
      `${epoch}:1e0`,
      `${epoch}: 1`,
      `${epoch}:`,
      epoch,
      `:${seq}`,
      `${cursor}:1`,
      '',
      'nonsense',
      '__proto__:1',
    ]) {
      const joining = Watcher.join(hub(), codec, filter, { resume: { cursor: bad, view: new Map() } });
      // Of several hubs one waits for a position that another may know already, and its clock stands still.
      if (sharing() > 0) await passUntil(hub(), joining);
      const watcher = await joining;
      assert.equal(watcher.resumed, false, bad);
      assert.deepEqual([...watcher.view.keys()], [provider.id]);
      watcher.socket.close();
    }
  });

  test('resume may be null, which is none', async () => {
    const watcher = await Watcher.join(hub(), codec, { payments_network: unique() });
    watcher.socket.send({ type: 'subscribe', id: 1, filter: { payments_network: unique() }, resume: null });
    assert.equal((await watcher.socket.next('subscribed'))['resumed'], false);
  });
});

forEachPair('a hub that keeps few changes', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair, { REPLAY_EVENTS: '8' });

  test('resumes exactly as far as it can, and refuses beyond', async () => {
    const filter = { payments_network: unique() };
    const provider = await Provider.join(hub(), codec);
    await provider.advertise(filter);
    const watcher = await Watcher.join(hub(), codec, filter);
    const { position } = watcher;
    for (let change = 1; change <= 8; change += 1)
      await provider.advertise({ ...filter, name: String(change) });
    const near = await Watcher.join(hub(), codec, filter, { resume: position });
    assert.equal(near.resumed, true);
    assert.deepEqual(brief(await near.events()), [`updated ${provider.id} live`]);
    await provider.advertise({ ...filter, name: 'one too many' });
    const far = await Watcher.join(hub(), codec, filter, { resume: position });
    assert.equal(far.resumed, false);
    await assertIsList(hub(), filter, far.view);
    await near.events();
    await assertIsList(hub(), filter, near.view);
  });

  test('lets a quiet subscriber resume from its last bookmark, however much happened to others', async () => {
    const filter = { payments_network: unique() };
    const watcher = await Watcher.join(hub(), codec, filter);
    const start = watcher.position;
    const provider = await Provider.join(hub(), codec);
    for (let change = 1; change <= 20; change += 1) await provider.advertise({ name: String(change) });
    await hub().advance(30_000);
    assert.deepEqual(await watcher.events(), []);
    const fromStart = await Watcher.join(hub(), codec, filter, { resume: start });
    assert.equal(fromStart.resumed, false);
    const fromBookmark = await Watcher.join(hub(), codec, filter, { resume: watcher.position });
    assert.equal(fromBookmark.resumed, true);
    assert.deepEqual(await fromBookmark.events(), []);
  });
});
