import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT, nextT } from '../../support/hubs/test-hub.js';
import {
  assertIsoTime,
  forEachPair,
  greetWithNonce,
  Provider,
  refused,
  sessionFrame,
  unique,
  useHub,
} from '../websocket-support.js';
import { brief, Watcher } from '../websocket-watcher.js';

/** The usual advertisement with some members changed; undefined leaves one out. */
const changed = (changes: object): string => JSON.stringify({ ...ADVERTISEMENT, ...changes });
const resources = (changes: object): string =>
  changed({ resources: { ...ADVERTISEMENT.resources, ...changes } });

/** Payloads that are not acceptable, and the member that the message has to name. */
const REFUSED: [payload: string, code: string, names: string][] = [
  ['', 'ADV_001', 'payload'],
  ['{', 'ADV_001', 'payload'],
  ['[]', 'ADV_001', 'object'],
  ['null', 'ADV_001', 'object'],
  [changed({ name: 'x'.repeat(17_000) }), 'ADV_001', 'payload'],
  [changed({ ip_address: undefined }), 'ADV_001', 'ip_address'],
  [changed({ ip_address: '192.168.001.100' }), 'ADV_001', 'ip_address'],
  [changed({ ip_address: '192.168.1.100:80' }), 'ADV_001', 'ip_address'],
  [changed({ country: 'XX' }), 'ADV_001', 'country'],
  [changed({ country: 'SWE' }), 'ADV_001', 'country'],
  [changed({ country: null }), 'ADV_001', 'country'],
  [changed({ platform: '' }), 'ADV_001', 'platform'],
  [changed({ platform: 'x'.repeat(33) }), 'ADV_001', 'platform'],
  [changed({ name: 'line\n' }), 'ADV_001', 'name'],
  [changed({ name: 5 }), 'ADV_001', 'name'],
  [changed({ payments_network: 'x'.repeat(65) }), 'ADV_001', 'payments_network'],
  [changed({ pricing: [] }), 'ADV_001', 'pricing'],
  [changed({ pricing: { usd_per_core_month: -1 } }), 'ADV_001', 'pricing.usd_per_core_month'],
  [changed({ pricing: { glm_per_core_month: '5' } }), 'ADV_001', 'pricing.glm_per_core_month'],
  [changed({ pricing: { note: 'x'.repeat(65) } }), 'ADV_001', 'pricing.note'],
  [changed({ pricing: { note: {} } }), 'ADV_001', 'pricing.note'],
  [changed({ resources: undefined }), 'ADV_002', 'resources'],
  [changed({ resources: { cpu: 4, memory: 8 } }), 'ADV_002', 'resources.storage'],
  [resources({ cpu: 0 }), 'ADV_002', 'resources.cpu'],
  [resources({ cpu: 1.5 }), 'ADV_002', 'resources.cpu'],
  [resources({ memory: '8' }), 'ADV_002', 'resources.memory'],
  [resources({ storage: 10_000_001 }), 'ADV_002', 'resources.storage'],
  [resources({ gpu: -1 }), 'ADV_002', 'resources.gpu'],
  [resources({ GPU: 1 }), 'ADV_002', 'resources.GPU'],
  [
    resources(Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`r${String(index)}`, 1]))),
    'ADV_002',
    'resources',
  ],
];

forEachPair('advertising over a session', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair);

  test('the answer is the advertisement as everybody receives it', async () => {
    const provider = await Provider.join(hub(), codec);
    const full = {
      ip_address: '2001:db8::7',
      country: 'de',
      resources: { cpu: 4096, memory: 65_536, storage: 10_000_000, gpu: 0, fpga_v2: 3 },
      platform: 'arm64',
      pricing: { usd_per_core_month: 0, glm_per_gb_ram_month: 0.25, note: 'für dich 😀' },
      name: 'Ærøskøbing 😀',
      payments_network: unique(),
      attributes: { gpu_model: 'Ærø 😀', bandwidth_mbps: 0.5, tee: true },
      endpoint: { port: 65_535 },
    };
    const now = new Date(hub().clock.wall()).toISOString();
    const advertisement = await provider.advertise({ ...full, further: { ignored: true } });
    assert.deepEqual(advertisement, {
      provider_id: provider.id,
      ...full,
      provider_name: full.name,
      country: 'DE',
      created_at: now,
      updated_at: now,
      status: 'live',
      expires_at: new Date(hub().clock.wall() + 300_000).toISOString(),
      verified: true,
      ip_confirmed: false,
    });
    assert.deepEqual(await provider.seen(), advertisement);
  });

  test('members that are left out, or null, come back as null', async () => {
    const provider = await Provider.join(hub(), codec);
    const none = { platform: null, pricing: null, name: null, payments_network: null };
    for (const sent of [{}, none]) {
      const { platform, pricing, name, payments_network } = await provider.advertise(sent);
      assert.deepEqual({ platform, pricing, name, payments_network }, none);
    }
  });

  test('advertising again keeps created_at and moves updated_at', async () => {
    const provider = await Provider.join(hub(), codec);
    const first = await provider.advertise();
    await hub().advance(5_000);
    const second = await provider.advertise({ name: 'new' });
    assert.equal(second.created_at, first.created_at);
    assert.equal(Date.parse(second.updated_at) - Date.parse(first.updated_at), 5_000);
    assertIsoTime(second.updated_at);
  });

  test('what was signed can be had as proof', async () => {
    const provider = await Provider.join(hub(), codec);
    const frame = provider.advertiseFrame({ name: 'signed' });
    provider.socket.send(frame);
    await provider.socket.next('advertised');
    const { body } = await hub().get(`/api/v1/advertisements/${provider.id}/proof`);
    const { payload, t, signature } = frame;
    assert.deepEqual(body, {
      provider_id: provider.id,
      scheme: 'ed25519',
      public_key: provider.key.publicKey,
      t,
      payload,
      signature,
    });
  });

  test('a payload that is not acceptable is refused with the member named, and changes nothing', async () => {
    const network = unique();
    const provider = await Provider.join(hub(), codec);
    await provider.advertise({ payments_network: network });
    const watcher = await Watcher.join(hub(), codec, { payments_network: network });
    for (const [payload, code, names] of REFUSED) {
      const message = await refused(provider.socket, provider.advertiseFrame(payload), code);
      assert.ok(message.includes(names), `${payload.slice(0, 200)}: ${message}`);
    }
    assert.deepEqual(await watcher.events(), []);
    await provider.advertise({ payments_network: network });
  });

  test('a time that is stale, from the future or used is AUTH_002, and the session goes on', async () => {
    const provider = await Provider.join(hub(), codec);
    const { socket } = provider;
    const now = hub().clock.wall();
    const t = nextT(hub().clock);
    socket.send(provider.advertiseFrame({}, t));
    await socket.next('advertised');
    for (const bad of [now - 300_001, now + 300_001, t, t - 1]) {
      await refused(socket, provider.advertiseFrame({}, bad), 'AUTH_002');
      await refused(socket, provider.withdrawFrame(bad), 'AUTH_002');
    }
    socket.send(provider.advertiseFrame({}, t + 1));
    await socket.next('advertised');
    socket.send(provider.withdrawFrame(t + 2));
    await socket.next('withdrawn');
    await refused(socket, provider.advertiseFrame({}, t + 2), 'AUTH_002');
  });

  test('a replay is refused after a withdrawal, and over HTTP as over the session', async () => {
    const provider = await Provider.join(hub(), codec);
    const frame = provider.advertiseFrame();
    provider.socket.send(frame);
    await provider.socket.next('advertised');
    await provider.withdraw();
    await refused(provider.socket, frame, 'AUTH_002');
    const { status, body } = await hub().post<{ code: string }>(
      provider.key,
      provider.id,
      frame['payload'] as string,
      frame['t'] as number,
    );
    assert.deepEqual([status, body.code], [401, 'AUTH_002']);
  });

  test('a signature that does not fit is AUTH_001, and the session goes on', async () => {
    const provider = await Provider.join(hub(), codec);
    const { socket } = provider;
    const other = new TestKey();
    await refused(socket, hub().signedFrame('advertise', other, provider.id), 'AUTH_001');
    await refused(socket, hub().signedFrame('withdraw', other, provider.id), 'AUTH_001');
    await refused(socket, hub().signedFrame('advertise', provider.key, 'another-id'), 'AUTH_001');
    const { signature } = provider.withdrawFrame();
    await refused(socket, { ...provider.advertiseFrame(), signature }, 'AUTH_001');
    await refused(socket, { ...provider.advertiseFrame(), payload: changed({ country: 'FR' }) }, 'AUTH_001');
    await refused(socket, { ...provider.advertiseFrame(), signature: '00'.repeat(64) }, 'AUTH_001');
    await provider.advertise();
  });

  test('withdrawing what is not there is ADV_004, and the session goes on', async () => {
    const provider = await Provider.join(hub(), codec);
    await refused(provider.socket, provider.withdrawFrame(), 'ADV_004');
    await provider.advertise();
    await provider.withdraw();
    await refused(provider.socket, provider.withdrawFrame(), 'ADV_004');
  });

  test('signed requests that are sent without waiting are answered in their order', async () => {
    const network = unique();
    const key = new TestKey();
    const { socket, nonce } = await greetWithNonce(hub(), codec);
    const watcher = await Watcher.join(hub(), codec, { payments_network: network });
    const advertise = (name: string): object => ({
      ...hub().signedFrame('advertise', key, key.publicKey, {
        ...ADVERTISEMENT,
        payments_network: network,
        name,
      }),
      id: name,
    });
    socket.send(sessionFrame(hub(), key, nonce));
    socket.send(advertise('first'));
    socket.send(advertise('second'));
    socket.send({ ...hub().signedFrame('withdraw', key), id: 'third' });
    // Refused quickly, but not before its turn.
    socket.send({ ...hub().signedFrame('withdraw', key, key.publicKey, '', 5), id: 'fourth' });
    socket.send(advertise('fifth'));
    const answers: string[] = [];
    while (answers.length < 6) {
      const { type, id, code } = (await socket.any()) as Record<string, string | undefined>;
      answers.push([type, id, code].filter((part) => part !== undefined).join(' '));
    }
    assert.deepEqual(answers, [
      'authenticated who',
      'advertised first',
      'advertised second',
      'withdrawn third',
      'error fourth AUTH_002',
      'advertised fifth',
    ]);
    await watcher.events();
    assert.deepEqual(
      [...watcher.view.values()].map(({ name }) => name),
      ['fifth'],
    );
  });

  test('advertising the same again, and heartbeats, cause no events', async () => {
    const network = unique();
    const provider = await Provider.join(hub(), codec);
    const same = { payments_network: network, pricing: { usd_per_core_month: 5, note: 'a' } };
    await provider.advertise(same);
    const watcher = await Watcher.join(hub(), codec, { payments_network: network });
    await hub().advance(5_000);
    await provider.advertise(same);
    // The same in another order and with another case.
    await provider.advertise({ ...same, country: 'se', pricing: { note: 'a', usd_per_core_month: 5 } });
    provider.socket.send({ type: 'heartbeat' });
    await provider.socket.next('heartbeat');
    await hub().post(provider.key, provider.id, { ...ADVERTISEMENT, ...same });
    assert.deepEqual(await watcher.events(), []);
    await provider.advertise({ ...same, name: 'changed' });
    assert.deepEqual(brief(await watcher.events()), [`updated ${provider.id} live`]);
  });
});
