import assert from 'node:assert/strict';
import test from 'node:test';
import { TestKey } from '../../support/data/keys.js';
import {
  assertError,
  itemPath,
  LIST,
  listIds,
  onBothTransports,
  readAdvertisement,
} from '../../support/clients/http.js';
import { ADVERTISEMENT, TestHub } from '../../support/hubs/test-hub.js';

const ATTRIBUTES = {
  gpu_model: 'RTX 4090',
  bandwidth_mbps: 1000,
  score: 1e-7,
  tee: true,
  note: 'Größe "⚡"',
};

onBothTransports('attributes, endpoints and confirmed addresses', {}, (hub) => {
  test('they come back as they were sent, null where they were not, and are part of what is signed', async () => {
    const key = new TestKey();
    const sent = JSON.stringify({ ...ADVERTISEMENT, endpoint: { port: 22 }, attributes: ATTRIBUTES });
    assert.equal((await hub().post(key, 'full', sent)).status, 200);
    const full = await readAdvertisement(hub(), 'full');
    assert.deepEqual(full.attributes, ATTRIBUTES);
    assert.deepEqual(full.endpoint, { port: 22 });
    const { body: proof } = await hub().get<{ payload: string }>(`${itemPath('full')}/proof`);
    assert.equal(proof.payload, sent);

    await hub().post(key, 'bare', ADVERTISEMENT);
    const bare = await readAdvertisement(hub(), 'bare');
    assert.equal(bare.attributes, null);
    assert.equal(bare.endpoint, null);
    await hub().post(key, 'null', { ...ADVERTISEMENT, attributes: null, endpoint: null });
    assert.equal((await readAdvertisement(hub(), 'null')).attributes, null);
    await hub().post(key, 'empty', { ...ADVERTISEMENT, attributes: {} });
    assert.deepEqual((await readAdvertisement(hub(), 'empty')).attributes, {});
    // Left out again, they are gone.
    await hub().post(key, 'full', ADVERTISEMENT);
    assert.equal((await readAdvertisement(hub(), 'full')).attributes, null);
  });

  test('what is wrong with them is refused by the name of the member', async () => {
    const names = Array.from({ length: 33 }, (_, at): [string, number] => [`a${String(at)}`, 1]);
    const wrong: [member: object, message: RegExp][] = [
      [{ attributes: [] }, /^attributes: must be an object/],
      [{ attributes: 'x' }, /^attributes: must be an object/],
      [{ attributes: Object.fromEntries(names) }, /^attributes: has 33 members, at most 32/],
      [{ attributes: { GPU: 1 } }, /^attributes\.GPU: is not an attribute name/],
      [{ attributes: { x: null } }, /^attributes\.x: must be a text/],
      [{ attributes: { x: [1] } }, /^attributes\.x: must be a text/],
      [{ attributes: { x: '' } }, /^attributes\.x: must have 1 to 64 characters/],
      [{ attributes: { x: 'y'.repeat(65) } }, /^attributes\.x: must have 1 to 64 characters/],
      [{ attributes: { x: 'a\u0000' } }, /^attributes\.x: must not contain control characters/],
      [{ endpoint: 22 }, /^endpoint: must be an object with a port/],
      [{ endpoint: {} }, /^endpoint\.port: must be an integer/],
      [{ endpoint: { port: 0 } }, /^endpoint\.port: must be an integer from 1 to 65535/],
      [{ endpoint: { port: 65_536 } }, /^endpoint\.port: must be an integer/],
    ];
    for (const [member, message] of wrong)
      assertError(
        await hub().post(new TestKey(), 'wrong', { ...ADVERTISEMENT, ...member }),
        400,
        'ADV_001',
        message,
      );
    const proto = `${JSON.stringify(ADVERTISEMENT).slice(0, -1)},"attributes":{"__proto__":1}}`;
    assertError(await hub().post(new TestKey(), 'wrong', proto), 400, 'ADV_001', /attributes\.__proto__/);
    const most: Record<string, number> = Object.fromEntries(names.slice(0, 32));
    assert.equal(
      (await hub().post(new TestKey(), 'most', { ...ADVERTISEMENT, attributes: most })).status,
      200,
    );
  });

  test('an address is confirmed by an advertisement that comes from it, or by a session for as long as it stands', async () => {
    const key = new TestKey();
    const isConfirmed = async (id: string): Promise<boolean> =>
      (await readAdvertisement(hub(), id)).ip_confirmed;
    const here = { ...ADVERTISEMENT, ip_address: '127.0.0.1' };
    await hub().post(key, 'here', here);
    assert.equal(await isConfirmed('here'), true);
    await hub().post(key, 'mapped', { ...here, ip_address: '::ffff:127.0.0.1' });
    assert.equal(await isConfirmed('mapped'), true, 'another form of the same address');
    await hub().post(key, 'elsewhere', ADVERTISEMENT);
    assert.equal(await isConfirmed('elsewhere'), false);
    const ids = await listIds(hub(), '?ip_confirmed=true');
    assert.ok(ids.includes('here') && ids.includes('mapped') && !ids.includes('elsewhere'));
    // It moves away, and the session does not.
    const session = await hub().session(key, 'here');
    session.send(hub().signedFrame('advertise', key, 'here', ADVERTISEMENT));
    await session.next('advertised');
    assert.equal(await isConfirmed('here'), false);
    session.send(hub().signedFrame('advertise', key, 'here', here));
    await session.next('advertised');
    assert.equal(await isConfirmed('here'), true);
  });

  test('who knows an address by a proxy that nobody trusts has confirmed nothing', async () => {
    const key = new TestKey();
    const body = JSON.stringify(ADVERTISEMENT);
    const { ip_address: address } = ADVERTISEMENT as { ip_address: string };
    const headers = {
      'Content-Type': 'application/json',
      'X-Forwarded-For': address,
      ...key.headers('advertise', 'forged', hub().clock.wall() + 1, body),
    };
    const { status } = await hub().request('POST', LIST, { headers, body });
    assert.equal(status, 200);
    assert.equal((await readAdvertisement(hub(), 'forged')).ip_confirmed, false);
  });
});

test('behind a trusted proxy a session confirms an address, and its end takes that back', async () => {
  const hub = await TestHub.start({ TRUST_PROXY: '127.0.0.1' });
  try {
    const key = new TestKey();
    const { ip_address: address } = ADVERTISEMENT as { ip_address: string };
    await hub.post(key, 'p', ADVERTISEMENT);
    assert.equal((await readAdvertisement(hub, 'p')).ip_confirmed, false);
    const socket = await hub.connect('json', { headers: { 'X-Forwarded-For': address } });
    const { nonce } = await socket.next('welcome');
    socket.send(hub.authenticateFrame(key, 'p', nonce as string));
    const { advertisement } = await socket.next('authenticated');
    assert.equal((advertisement as { ip_confirmed: boolean }).ip_confirmed, true);
    assert.deepEqual(await listIds(hub, '?ip_confirmed=true'), ['p']);
    // A session from elsewhere takes over.
    await hub.session(key, 'p');
    assert.equal((await readAdvertisement(hub, 'p')).ip_confirmed, false);
  } finally {
    await hub.stop();
  }
});
