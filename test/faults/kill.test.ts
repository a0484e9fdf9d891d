import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import {
  generateKey,
  ProviderSession,
  type PublishedAdvertisement,
  type Watch,
  watch,
} from '../../src/client/node.js';
import { ADVERTISEMENT } from '../support/test-hub.js';
import { HubProcess, scratchFolder } from '../process/hub-process.js';
import { scaled } from './scale.js';

const ROUNDS = scaled(4, 50);
const SESSIONS = scaled(60, 200);
const WATCHERS = scaled(15, 50);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

test(`a hub that is killed and restarted ${ROUNDS} times loses no provider, and no watcher sees a false departure`, async (t) => {
  const folder = scratchFolder(t);
  const settings = { PORT: String(await freePort()), MESSAGES_PER_MINUTE: '0' };
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
    await delay(Math.random() * 1500);
    await hub.kill();
    await delay(Math.random() * 300);
    hub = await HubProcess.start(folder, settings);
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

/** Resolves when a watch holds what the list says; the last changes may still be on their way. */
async function agrees(watcher: Watch, list: () => Promise<PublishedAdvertisement[]>): Promise<void> {
  const essence = ({ provider_id, status, resources }: PublishedAdvertisement): unknown => [
    provider_id,
    status,
    resources,
  ];
  for (let attempt = 0; ; attempt += 1) {
    const listed = (await list()).map(essence);
    const held = [...watcher.providers.values()]
      .sort((a, b) => (a.provider_id < b.provider_id ? -1 : 1))
      .map(essence);
    if (JSON.stringify(listed) === JSON.stringify(held)) return;
    assert.ok(attempt < 300, 'the watcher never agreed with the list');
    await delay(100);
  }
}
