import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey, ProviderSession } from '../../../src/client/index.js';
import { ED25519 } from '../../../src/protocol/schemes/ed25519.js';
import { verifySignature } from '../../../src/protocol/schemes/table.js';
import { publishedAs } from '../support/fake-hub.js';
import { ADVERTISEMENT, beginSession, cores, KEY, turn } from '../support/session-scene.js';

test('it publishes what is not on file', async () => {
  const { hub, session, published } = beginSession();
  hub.peer.welcome();
  assert.equal(session.state, 'authenticating');
  hub.peer.authenticate(null);
  assert.equal(session.state, 'live');
  const { payload, t, signature } = hub.peer.last('advertise');
  assert.equal(payload, JSON.stringify(ADVERTISEMENT));
  const fields = {
    action: 'advertise',
    providerId: 'p1',
    t: t as number,
    payload: payload,
  } as const;
  assert.ok(verifySignature(ED25519, fields, KEY.publicKey, signature as string));
  const waiting = session.published();
  const advertisement = hub.peer.publish();
  assert.deepEqual(await waiting, advertisement);
  assert.deepEqual(session.advertisement, advertisement);
  await turn();
  assert.deepEqual(published, [advertisement]);
});

test('what is on file already is not sent again; how it is written does not matter', async () => {
  const scene = beginSession({
    advertisement: {
      resources: { storage: 40, memory: 8, cpu: 4, gpu: 0 },
      country: 'se',
      ip_address: '192.168.1.100',
      pricing: { usd_per_core_month: 5, tier: 'gold' },
      name: null,
    },
  });
  scene.hub.peer.welcome();
  const onFile = publishedAs('p1', {
    status: 'suspect',
    resources: { cpu: 4, memory: 8, storage: 40, gpu: 0 },
    pricing: { tier: 'gold', usd_per_core_month: 5 },
  });
  scene.hub.peer.authenticate(onFile);
  assert.deepEqual(await scene.session.published(), onFile);
  assert.equal(scene.sent, 0);
});

test('whatever differs is sent', () => {
  for (const difference of [
    { ip_address: '192.168.1.101' },
    { country: 'NO' },
    { resources: { cpu: 4, memory: 8, storage: 41 } },
    { resources: { cpu: 4, memory: 8, storage: 40, gpu: 1 } },
    { platform: 'x86_64' },
    { pricing: {} },
    { name: 'mine' },
    { payments_network: 'main' },
    { verified: false },
  ]) {
    const scene = beginSession();
    scene.hub.peer.welcome();
    scene.hub.peer.authenticate(publishedAs('p1', difference));
    assert.equal(scene.sent, 1, JSON.stringify(difference));
  }
});

test('a function is asked on every connect, and on refresh', async () => {
  let asked = 0;
  const scene = beginSession({ advertisement: () => cores((asked += 1)) });
  const { hub, time, session } = scene;
  assert.equal(asked, 0);
  hub.peer.welcome();
  hub.peer.authenticate(null);
  await turn();
  assert.equal(hub.peer.publish().resources.cpu, 1);
  await turn();
  const refreshed = session.refresh();
  await turn();
  hub.peer.publish();
  assert.equal((await refreshed).resources.cpu, 2);
  hub.peer.end(1006);
  time.advance(250);
  hub.peer.welcome();
  hub.peer.authenticate(session.advertisement);
  await turn();
  assert.equal(hub.peer.publish().resources.cpu, 3);
});

test('of several questions only the answer to the last one counts', async () => {
  const answers: ((cpu: number) => void)[] = [];
  const scene = beginSession({
    advertisement: () =>
      new Promise((resolve) =>
        answers.push((cpu) => {
          resolve(cores(cpu));
        }),
      ),
  });
  scene.hub.peer.welcome();
  scene.hub.peer.authenticate(null);
  const refreshed = scene.session.refresh();
  answers[1]!(2);
  await turn();
  answers[0]!(1);
  await turn();
  assert.equal(scene.sent, 1);
  scene.hub.peer.publish();
  assert.equal((await refreshed).resources.cpu, 2);
});

test('a function that fails is a problem, and is asked again; what was advertised stays', async () => {
  let works = false;
  const scene = beginSession({
    advertisement: () => {
      if (!works) throw new Error('the hypervisor is away');
      return cores(6);
    },
  });
  const { hub, time, session, problems } = scene;
  const waiting = session.published();
  hub.peer.welcome();
  hub.peer.authenticate(publishedAs('p1'));
  await assert.rejects(waiting, { code: 'SOURCE', message: 'the hypervisor is away' });
  assert.equal(problems.length, 1);
  assert.equal(session.state, 'live');
  works = true;
  time.advance(250);
  await turn();
  assert.equal(hub.peer.publish().resources.cpu, 6);
});

test('updates that come while one is under way are merged into the last', async () => {
  const { hub, session } = beginSession();
  hub.peer.welcome();
  hub.peer.authenticate(null);
  const first = session.update(cores(5));
  const second = session.update(cores(6));
  hub.peer.publish();
  await turn();
  assert.equal(hub.peer.publish().resources.cpu, 6);
  assert.equal((await first).resources.cpu, 6);
  assert.equal((await second).resources.cpu, 6);
  assert.equal(hub.peer.sent.filter(({ type }) => type === 'advertise').length, 2);
});

test('signed times only grow', async () => {
  const { hub, session } = beginSession();
  hub.peer.welcome();
  hub.peer.authenticate(null);
  const times: number[] = [];
  for (let cpu = 10; cpu < 15; cpu += 1) {
    times.push(hub.peer.last('advertise')['t'] as number);
    hub.peer.publish();
    void session.update(cores(cpu));
    await turn();
  }
  assert.deepEqual(
    times,
    [...new Set(times)].sort((a, b) => a - b),
  );
});

test('an update that says the same sends nothing', async () => {
  const scene = beginSession();
  scene.hub.peer.welcome();
  scene.hub.peer.authenticate(publishedAs('p1'));
  await scene.session.update({ ...ADVERTISEMENT, country: 'se' });
  assert.equal(scene.sent, 0);
});

test('what cannot be advertised is refused before it is sent', async () => {
  const key = generateKey();
  const bad = { ...ADVERTISEMENT, country: 'XX' };
  assert.throws(() => new ProviderSession('http://hub.example', { key, advertisement: bad }), {
    name: 'DiscoveryError',
    code: 'ADV_001',
    message: /^country: /,
  });
  const scene = beginSession();
  await assert.rejects(
    scene.session.update({ ...ADVERTISEMENT, resources: { cpu: 0, memory: 1, storage: 1 } }),
    {
      code: 'ADV_002',
      status: 400,
      retry: false,
    },
  );
  await assert.rejects(scene.session.update({ ...ADVERTISEMENT, pricing: { usd_per_core_month: NaN } }), {
    code: 'ADV_001',
  });
  const large = { ...ADVERTISEMENT, comment: 'x'.repeat(16 * 1024) };
  await assert.rejects(scene.session.update(large), { code: 'ADV_001', message: /16384 bytes/ });
  scene.hub.peer.welcome();
  scene.hub.peer.authenticate(null);
  assert.equal(scene.hub.peer.last('advertise')['payload'], JSON.stringify(ADVERTISEMENT));
});

test('an update before there is a connection waits for one', async () => {
  const { hub, time, session } = beginSession();
  hub.peer.end(1006);
  const updated = session.update(cores(8));
  time.advance(250);
  hub.peer.welcome();
  hub.peer.authenticate(null);
  hub.peer.publish();
  assert.equal((await updated).resources.cpu, 8);
});

test('a request whose answer is lost is settled by what the hub has on file afterwards', async () => {
  const { hub, time, session } = beginSession();
  hub.peer.welcome();
  hub.peer.authenticate(publishedAs('p1'));
  const updated = session.update(cores(5));
  hub.peer.end(1006);
  await turn();
  time.advance(250);
  hub.peer.welcome();
  const onFile = publishedAs('p1', { resources: { cpu: 5, memory: 8, storage: 40 } });
  hub.peer.authenticate(onFile);
  assert.deepEqual(await updated, onFile);
  assert.equal(hub.peer.sent.length, 1);
});

test('a hub that cannot write now is asked again, with backoff; callers keep waiting', async () => {
  const scene = beginSession();
  const { hub, time, session, problems } = scene;
  hub.peer.welcome();
  hub.peer.authenticate(null);
  const waiting = session.published();
  for (const wait of [250, 500, 1000]) {
    const { sent } = scene;
    hub.peer.refuse('advertise', 'ADV_001', 'the disk is full');
    await turn();
    time.advance(wait - 1);
    assert.equal(scene.sent, sent);
    time.advance(1);
    assert.equal(scene.sent, sent + 1);
  }
  assert.deepEqual(
    problems.map(({ code, retry }) => [code, retry]),
    Array(3).fill(['ADV_001', true]),
  );
  hub.peer.publish();
  await waiting;
  assert.equal(session.state, 'live');
});

test('what the hub does not accept is a problem, not the end; it is not sent again until it changes', async () => {
  const scene = beginSession();
  const { hub, time, session, problems } = scene;
  hub.peer.welcome();
  hub.peer.authenticate(publishedAs('p1'));
  const updated = session.update(cores(4096));
  hub.peer.refuse('advertise', 'ADV_002', 'too many cores');
  await assert.rejects(updated, { code: 'ADV_002', retry: false });
  await assert.rejects(session.published(), { code: 'ADV_002' });
  assert.equal(problems.length, 1);
  time.advance(20_000);
  assert.equal(scene.sent, 1);
  assert.equal(session.state, 'live');
  const better = session.update(cores(12));
  hub.peer.publish();
  assert.equal((await better).resources.cpu, 12);
});

test('withdraw takes it back and keeps it so across reconnects, until the next update', async () => {
  const scene = beginSession();
  const { hub, time, session } = scene;
  let withdrawn = 0;
  session.on('withdrawn', () => (withdrawn += 1));
  hub.peer.welcome();
  hub.peer.authenticate(publishedAs('p1'));
  const done = session.withdraw();
  const { id, t, signature } = hub.peer.last('withdraw');
  const fields = { action: 'withdraw', providerId: 'p1', t: t as number, payload: '' } as const;
  assert.ok(verifySignature(ED25519, fields, KEY.publicKey, signature as string));
  hub.peer.say({ type: 'withdrawn', id });
  await done;
  await turn();
  assert.equal(withdrawn, 1);
  assert.equal(session.state, 'live');
  assert.equal(session.advertisement, null);
  hub.peer.end(1006);
  time.advance(250);
  hub.peer.welcome();
  hub.peer.authenticate(null);
  await turn();
  assert.equal(scene.sent, 0);
  const again = session.refresh();
  hub.peer.publish();
  await again;
});

test('withdraw while the connection is lost is done with the next one', async () => {
  const { hub, time, session } = beginSession();
  hub.peer.welcome();
  hub.peer.authenticate(publishedAs('p1'));
  hub.peer.end(1006);
  const done = session.withdraw();
  time.advance(250);
  hub.peer.welcome();
  hub.peer.authenticate(publishedAs('p1'));
  hub.peer.say({ type: 'withdrawn', id: hub.peer.last('withdraw')['id'] });
  await done;
});

test('there being nothing to withdraw is as good as withdrawn', async () => {
  const { hub, session } = beginSession();
  hub.peer.welcome();
  hub.peer.authenticate(publishedAs('p1'));
  const done = session.withdraw();
  hub.peer.refuse('withdraw', 'ADV_004', 'gone');
  await done;
  assert.equal(session.advertisement, null);
});

test('a call that is overtaken by its opposite says so', async () => {
  const { hub, session } = beginSession();
  hub.peer.welcome();
  hub.peer.authenticate(null);
  const published = session.published();
  const withdrawn = session.withdraw();
  await assert.rejects(published, { code: 'SUPERSEDED' });
  hub.peer.publish();
  await turn();
  const updated = session.update(cores(5));
  await assert.rejects(withdrawn, { code: 'SUPERSEDED' });
  hub.peer.say({ type: 'withdrawn', id: hub.peer.last('withdraw')['id'] });
  await turn();
  hub.peer.publish();
  assert.equal((await updated).resources.cpu, 5);
});
