import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import { assertError, LIST, onBothTransports } from '../../support/clients/http.js';
import { type ErrorAnswer, firstOf } from '../../support/hubs/test-hub.js';
import { eventually, Provider, unique } from '../websocket-support.js';
import { listed, queryOf } from '../websocket-watcher.js';

onBothTransports('lists that wait', {}, (hubs) => {
  const hub = firstOf(hubs);
  test('are answered as soon as their matches change, and not for others', async () => {
    const filter = { payments_network: unique() };
    const provider = await Provider.join(hub(), 'json');
    await provider.advertise(filter);
    const { cursor } = await listed(hub(), filter);
    const { waits } = hub().hub.gateway;
    const path = `${LIST}?${queryOf(filter)}&since=${cursor}&wait=60&limit=5`;
    const answer = hub().get<PublishedAdvertisement[]>(path);
    await eventually('it waits', () => waits.size === 1);
    const other = await Provider.join(hub(), 'json');
    await other.advertise({ payments_network: unique() });
    assert.equal(waits.size, 1, 'a change of others is none');
    await provider.advertise({ ...filter, name: 'new' });
    const { status, body, headers } = await answer;
    assert.deepEqual([status, body.map(({ name }) => name)], [200, ['new']]);
    const next = headers.get('x-discovery-cursor')!;
    assert.notEqual(next, cursor);
    assert.equal(waits.size, 0);
    const at = await hub().get<PublishedAdvertisement[]>(path);
    assert.equal(at.status, 200, 'a change that has happened already is not waited for');
    await provider.withdraw();
    const gone = await hub().get<unknown[]>(`${LIST}?${queryOf(filter)}&since=${next}&wait=60`);
    assert.deepEqual([gone.status, gone.body], [200, []]);
  });

  test('are answered after the wait with 304 and the cursor up to which nothing has changed', async () => {
    const filter = { payments_network: unique() };
    const provider = await Provider.join(hub(), 'json');
    const { cursor } = await listed(hub(), filter);
    // Between two ticks: a wait that counts from the last one ends too early.
    hub().clock.advance(150);
    const answer = hub().request('GET', `${LIST}?${queryOf(filter)}&since=${cursor}&wait=7`);
    await eventually('it waits', () => hub().hub.gateway.waits.size === 1);
    await provider.advertise({ payments_network: unique() });
    await hub().advance(6990);
    assert.equal(hub().hub.gateway.waits.size, 1);
    await hub().advance(200);
    const { status, body, headers } = await answer;
    assert.deepEqual([status, body], [304, null]);
    assert.equal(headers.get('x-discovery-cursor'), (await listed(hub(), {})).cursor);
    assert.equal(hub().hub.gateway.streams.subscriptions, 0, 'nothing is left of it');
  });

  test('are answered at once where the cursor is not one to resume from', async () => {
    const filter = { payments_network: unique() };
    for (const since of ['0:0', 'nonsense', '']) {
      const { status, body } = await hub().get(`${LIST}?${queryOf(filter)}&since=${since}&wait=60`);
      assert.deepEqual([status, body], [200, []]);
    }
  });

  test('take since and wait together, and a wait of 1 to 60 s', async () => {
    for (const [query, problem] of [
      ['wait=5', /since and wait go together/],
      ['since=0:0', /since and wait go together/],
      ['since=0:0&wait=0', /wait: must be an integer from 1 to 60/],
      ['since=0:0&wait=61', /wait: must be an integer from 1 to 60/],
      ['since=0:0&wait=1.5', /wait: must be an integer from 1 to 60/],
      ['since=0:0&wait=soon', /wait: must be a plain decimal number/],
      [`since=${'0'.repeat(65)}&wait=1`, /since: must be a cursor/],
    ] as const) {
      assertError(await hub().get<ErrorAnswer>(`${LIST}?${query}`), 400, 'ADV_002', problem);
    }
  });
});
