import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishedAs } from '../support/fake-hub.js';
import { ADVERTISEMENT, beginSession, cores, type SessionScene, turn } from '../support/session-scene.js';

// What ends an advertisement, or a session, although its provider did not ask for that here.

const REMOVED = { type: 'removed', reason: 'withdrawn' };

/** A session that has published its advertisement. */
async function published(options: Parameters<typeof beginSession>[0] = {}): Promise<SessionScene> {
  const scene = beginSession(options);
  scene.hub.peer.welcome();
  scene.hub.peer.authenticate(publishedAs('p1'));
  await scene.session.published();
  return scene;
}

function tellsOfWithdrawals({ session }: SessionScene): boolean[] {
  const told: boolean[] = [];
  session.on('withdrawn', ({ elsewhere }) => told.push(elsewhere));
  return told;
}

test('a function whose first advertisement no hub would take ends the session as refused', async () => {
  // A former run of the provider may have left something acceptable there.
  for (const onFile of [null, publishedAs('p1')]) {
    const scene = beginSession({ advertisement: () => ({ ...ADVERTISEMENT, country: 'XX' }) });
    const waiting = scene.session.published();
    scene.hub.peer.welcome();
    scene.hub.peer.authenticate(onFile);
    await assert.rejects(waiting, { code: 'ADV_001', message: /^country: / });
    assert.equal(scene.session.state, 'refused');
    assert.equal(scene.session.error?.code, 'ADV_001');
    assert.equal(scene.sent, 0);
    scene.time.advance(3_600_000);
    assert.equal(scene.hub.peers.length, 1);
  }
});

test('what the hub does not take at first, and never will, ends the session, given or told by a function', async () => {
  for (const advertisement of [ADVERTISEMENT, () => ADVERTISEMENT]) {
    const scene = beginSession({ advertisement });
    scene.hub.peer.welcome();
    scene.hub.peer.authenticate(null);
    await turn();
    scene.hub.peer.refuse('advertise', 'ADV_002', 'too many cores for this hub');
    await turn();
    assert.equal(scene.session.state, 'refused');
    assert.match(scene.session.error?.message ?? '', /too many cores/);
  }
});

test('a function that goes wrong later is a problem; what was advertised stays', async () => {
  let country = 'SE';
  const scene = await published({ advertisement: () => ({ ...ADVERTISEMENT, country }) });
  country = 'XX';
  await assert.rejects(scene.session.refresh(), { code: 'ADV_001' });
  assert.equal(scene.session.state, 'live');
  assert.deepEqual(
    scene.problems.map(({ code }) => code),
    ['ADV_001'],
  );
  assert.notEqual(scene.session.advertisement, null);
});

test('a withdrawal elsewhere is told, and stays so across reconnects, until the provider wants otherwise', async () => {
  const scene = await published();
  const { hub, time, session } = scene;
  const told = tellsOfWithdrawals(scene);
  hub.peer.say(REMOVED);
  await turn();
  assert.deepEqual(told, [true]);
  assert.equal(session.advertisement, null);
  assert.equal(session.state, 'live');
  hub.peer.end(1006);
  time.advance(250);
  hub.peer.welcome();
  hub.peer.authenticate(null);
  await turn();
  assert.equal(scene.sent, 0);
  assert.deepEqual(told, [true, true]);
  const again = session.refresh();
  hub.peer.publish();
  await again;
  void session.withdraw();
  hub.peer.say({ type: 'withdrawn', id: hub.peer.last('withdraw')['id'] });
  await turn();
  assert.deepEqual(told, [true, true, false]);
});

test('a withdrawal elsewhere overtakes who waits for an update, and takes the update back', async () => {
  const scene = await published();
  const { hub, session } = scene;
  const told = tellsOfWithdrawals(scene);
  const updated = session.update(cores(8));
  hub.peer.say(REMOVED);
  await assert.rejects(updated, { code: 'SUPERSEDED', message: /withdrawn elsewhere/ });
  hub.peer.publish();
  await turn();
  hub.peer.say({ type: 'withdrawn', id: hub.peer.last('withdraw')['id'] });
  await turn();
  assert.equal(session.advertisement, null);
  assert.deepEqual(told, [true]);
});
