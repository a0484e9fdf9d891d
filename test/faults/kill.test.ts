import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { generateKey, ProviderSession, type PublishedAdvertisement, watch } from '../../src/client/node.js';
import { freePort } from '../client/support/free-port.js';
import { HubProcess, scratchFolder } from '../process/hub-process.js';
import { ADVERTISEMENT } from '../support/hubs/test-hub.js';
import { agrees } from './remote.js';
import { scaled } from '../support/scale.js';
import { randomOf } from '../support/random.js';

const ROUNDS = scaled(2, 50);
const SESSIONS = scaled(60, 200);
const WATCHERS = scaled(15, 50);

test(`a hub that is killed and restarted ${ROUNDS} times loses no provider, and no watcher sees a false departure`, async (t) => {
  const random = randomOf(t);
  const folder = scratchFolder(t);
  const settings = {
    PORT: await freePort(),
    MESSAGES_PER_MINUTE: '0',
    // Longer than all rounds take: a hub that is away most of the time may well be missed for 300 s, rightly.
    ADVERTISEMENT_EXPIRY_SECONDS: '3600',
  };
  let hub = await HubProcess.start(folder, settings);
  t.after(() => hub.kill());

  const sessions = Array.from({ length: SESSIONS }, (_, number) => {
    const resources = { cpu: 1 + (number % 8), memory: 8, storage: 40 };
    const codec = number % 2 === 0 ? ('json' as const) : ('msgpack' as const);
    return new ProviderSession(hub.url, {
      key: generateKey(),
      codec,
      advertisement: { ...ADVERTISEMENT, resources },
    });
  });
  for (const session of sessions) session.start();
  await Promise.all(sessions.map((session) => session.published()));

  const departures: string[] = [];
  const watchers = Array.from({ length: WATCHERS }, (_, number) => {
    const watcher = watch(
      hub.url,
      { cpu: 1 + (number % 8) },
      { codec: number % 2 === 0 ? 'msgpack' : 'json' },
    );
    watcher.on('change', ({ type, advertisement }) => {
      if (type === 'removed') departures.push(advertisement.provider_id);
    });
    return { watcher, cpu: 1 + (number % 8) };
  });
  await Promise.all(watchers.map(({ watcher }) => watcher.ready));

  for (let round = 0; round < ROUNDS; round += 1) {
    // Chaos is the one place where time is meant to be random.
    await delay(random() * 1500);
    await hub.kill();
    await delay(random() * 300);
    hub = await HubProcess.start(folder, settings);
    assert.doesNotMatch(hub.output, /cannot be read/);
  }

  await Promise.all(sessions.map((session) => isLive(session)));
  for (const { watcher, cpu } of watchers) {
    await agrees(watcher, async () => {
      const { body } = await hub.request<PublishedAdvertisement[]>(
        'GET',
        `/api/v1/advertisements?cpu=${cpu}`,
      );
      return body;
    });
  }
  assert.deepEqual(departures, [], 'every provider came back in time, so nobody may have seen one go');
  const { body } = await hub.request<PublishedAdvertisement[]>('GET', '/api/v1/advertisements?status=live');
  assert.equal(body.length, SESSIONS);
  await Promise.all([...sessions, ...watchers.map(({ watcher }) => watcher)].map((one) => one.stop()));
});

/** Resolves when a session is live. */
async function isLive(session: ProviderSession): Promise<void> {
  while (session.state !== 'live') {
    await new Promise<void>((resolve) => {
      const off = session.on('state', () => {
        off();
        resolve();
      });
    });
  }
}
