import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Line, LIST, onBothTransports, type PublishedAdvertisement } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT, firstOf } from '../../support/hubs/test-hub.js';

const COUNT = 60;
/** One that is short, one that is long, and one in an order that times decide about. */
const LISTS = [`${LIST}?limit=2`, LIST, `${LIST}?sort=updated&limit=3`];

onBothTransports('the same list again and again', {}, (hubs) => {
  // The other hubs know a session's heartbeats only to within some seconds.
  const hub = firstOf(hubs);
  const line = new Line(hub);
  const keys = Array.from({ length: COUNT }, () => new TestKey()).sort((a, b) =>
    a.publicKey < b.publicKey ? -1 : 1,
  );
  const [first, second] = keys as [TestKey, TestKey];
  const one = async (id: string): Promise<PublishedAdvertisement> =>
    (await line.get<PublishedAdvertisement>(`${LIST}/${id}`)).body;

  /** Asks for each list so often that it is answered in every way there is, and compares it with its members. */
  const check = async (present: readonly TestKey[]): Promise<string> => {
    const all: PublishedAdvertisement[] = [];
    for (const { publicKey } of present) all.push(await one(publicKey));
    const newest = all.toSorted((a, b) => (a.updated_at > b.updated_at ? -1 : 1)).slice(0, 3);
    const cursors = new Set<string | null>();
    for (let time = 0; time < 4; time += 1) {
      for (const [at, expected] of [all.slice(0, 2), all, newest].entries()) {
        const answer = await line.get<PublishedAdvertisement[]>(LISTS[at]!);
        assert.deepEqual(answer.body, expected, `${LISTS[at]!}, time ${String(time)}`);
        assert.equal(Number(answer.headers.get('content-length')), JSON.stringify(answer.body).length);
        cursors.add(answer.headers.get('x-discovery-cursor'));
      }
    }
    assert.equal(cursors.size, 1);
    return [...cursors][0]!;
  };

  test('has what each member is at that moment, whatever changed since', async () => {
    for (const key of keys) {
      await line.post(key, key.publicKey, ADVERTISEMENT);
      await hub().advance(1000);
    }
    const session = await hub().session(first);
    const start = await check(keys);

    await hub().advance(5000);
    session.send({ type: 'heartbeat' });
    await session.next('heartbeat');
    assert.equal(await check(keys), start, 'a heartbeat is no event');
    assert.equal((await one(first.publicKey)).updated_at, new Date(hub().clock.wall()).toISOString());

    await hub().advance(1000);
    await line.post(second, second.publicKey, ADVERTISEMENT);
    assert.equal(await check(keys), start, 'neither is the same advertisement once more');

    await line.post(second, second.publicKey, { ...ADVERTISEMENT, name: 'another name' });
    const renamed = await check(keys);
    assert.notEqual(renamed, start);
    assert.equal((await one(second.publicKey)).name, 'another name');

    session.terminate();
    while ((await one(first.publicKey)).status === 'live') await hub().advance(200);
    const suspect = await check(keys);
    assert.notEqual(suspect, renamed);

    await hub().delete(first);
    assert.notEqual(await check(keys.slice(1)), suspect);
  });
});
