import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { HubProcess, scratchFolder } from '../process/hub-process.js';
import { FaultyHub, until } from './faulty-hub.js';
import { list, RemoteProvider } from './remote.js';
import { scaled } from '../support/scale.js';
import { randomOf } from '../support/random.js';

const DEATHS = scaled(2, 20);
const PROVIDERS = 16;

test("the mirror's thread is started again when it dies, and nothing acknowledged is lost", async (t) => {
  const random = randomOf(t);
  const folder = scratchFolder(t);
  const faulty = await FaultyHub.start(folder, { MESSAGES_PER_MINUTE: '0' });
  const { process: hub } = faulty;
  let isOver = false;
  /** What was acknowledged last, of each. */
  const acknowledged = new Map<string, number>();
  let answers = 0;
  const advertise = async (number: number): Promise<void> => {
    const provider = new RemoteProvider();
    const session = number % 2 === 0 ? await provider.join(hub, number % 4 === 0 ? 'json' : 'msgpack') : null;
    for (let storage = 1; !isOver; storage += 1) {
      const changes = { resources: { cpu: 1, memory: 1, storage } };
      if (session === null) {
        const { status, body } = await provider.post(hub, changes);
        assert.equal(status, 200, body.message);
      } else {
        session.send(provider.frame(changes));
        await session.next('advertised');
      }
      acknowledged.set(provider.id, storage);
      answers += 1;
    }
    session?.terminate();
  };
  const working = Promise.all(Array.from({ length: PROVIDERS }, (_, number) => advertise(number)));

  const deaths = Array.from({ length: DEATHS }, (_, round) => (round % 2 === 0 ? 'before' : 'after'));
  for (const [round, when] of deaths.entries()) {
    // At a moment that nobody chose.
    await delay(random() * 200);
    faulty.killThread(when);
    const said = `(?:thread died and is being restarted: the thread was told to die[^]*){${String(round + 1)}}`;
    await Promise.race([hub.wrote(new RegExp(said)), working]);
    const before = answers;
    // Three in a row over one request would be a reason to refuse it.
    const isBack = until(
      'an answer',
      () => answers,
      (count) => count > before + PROVIDERS,
    );
    await Promise.race([isBack, working]);
  }
  isOver = true;
  await working;
  assert.equal((await hub.request('GET', '/health')).status, 200);
  const stored = (all: Awaited<ReturnType<typeof list>>): Map<string, number> =>
    new Map(all.map(({ provider_id, resources }) => [provider_id, resources.storage]));
  const expected = new Map([...acknowledged].sort());
  assert.deepEqual(stored(await list(hub)), expected);

  await hub.kill();
  const again = await HubProcess.start(folder);
  assert.deepEqual(stored(await list(again)), expected);
  assert.equal(await again.stop(), 0);
});
