import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestAccount } from '../../support/data/ethereum.js';
import {
  assertError,
  itemPath,
  LIST,
  listIds,
  onBothTransports,
  type PublishedAdvertisement,
  readAdvertisement,
} from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT, type Answer, nextT, type TestHub } from '../../support/hubs/test-hub.js';
import {
  assertError as assertErrorFrame,
  closesWith,
  forEachPair,
  greetWithNonce,
  useHub,
} from '../websocket-support.js';

const BODY = JSON.stringify(ADVERTISEMENT);

type Headers = Record<string, string>;

function post(hub: TestHub, headers: Headers, body = BODY): Promise<Answer<PublishedAdvertisement>> {
  return hub.request('POST', LIST, { headers: { 'Content-Type': 'application/json', ...headers }, body });
}

function postAs(hub: TestHub, account: TestAccount, spelling = account.address) {
  return post(hub, account.headers('advertise', nextT(hub.clock), BODY, spelling));
}

function unsigned(spelling: string, signature = 'none'): Headers {
  return { 'X-Provider-ID': spelling, 'X-Provider-Signature': signature };
}

onBothTransports('Ethereum addresses', {}, (hub) => {
  test('an address is one provider in all spellings, and goes out in its canonical one', async () => {
    const account = new TestAccount();
    const { address, lower, upper } = account;
    let created = '';
    for (const spelling of [address, lower, upper]) {
      const { status, body } = await postAs(hub(), account, spelling);
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual([body.provider_id, body.verified], [address, true]);
      created ||= body.created_at;
      assert.equal(body.created_at, created);
      assert.equal((await readAdvertisement(hub(), spelling)).provider_id, address);
    }
    assert.deepEqual(
      (await listIds(hub(), '')).filter((id) => id.toLowerCase() === lower),
      [address],
    );
    const headers = account.headers('withdraw', nextT(hub().clock), '', upper);
    assert.equal((await hub().request('DELETE', itemPath(lower), { headers })).status, 200);
    assertError(await hub().get(itemPath(address)), 404, 'ADV_004');
  });

  test('a wrong checksum is refused, and so is an id that was signed in another than its canonical form', async () => {
    // An address with letters of both cases.
    const account = new TestAccount(Buffer.alloc(32, 0x11));
    const { address, lower } = account;
    const wrong = address.replace('E', 'e');
    const t = nextT(hub().clock);
    assertError(await post(hub(), account.headers('advertise', t, BODY, wrong)), 401, 'AUTH_001', /checksum/);
    const signature = account.sign('advertise', lower, t, BODY);
    for (const spelling of [lower, address])
      assertError(await post(hub(), unsigned(spelling, `t=${String(t)},e1=${signature}`)), 401, 'AUTH_001');
  });

  test('every written form of a signature is taken, and no other', async () => {
    const account = new TestAccount();
    const send = (write: (signature: string, t: string) => string) => {
      const t = nextT(hub().clock);
      const signature = account.sign('advertise', account.address, t, BODY);
      return post(hub(), unsigned(account.address, write(signature, String(t))));
    };
    const lowV = (signature: string): string =>
      signature.slice(0, 128) +
      (Number.parseInt(signature.slice(128), 16) - 27).toString(16).padStart(2, '0');
    assert.equal((await send((signature, t) => `t=${t},e1=${signature}`)).status, 200);
    assert.equal((await send((signature, t) => `e1=0x${signature}, t=${t}`)).status, 200);
    assert.equal((await send((signature, t) => `t=${t},e1=${lowV(signature)}`)).status, 200);
    const key = new TestKey().publicKey;
    for (const write of [
      (signature: string, t: string) => `t=${t},k=${key},e1=${signature}`,
      (signature: string, t: string) => `t=${t},v1=${signature}`,
      (signature: string, t: string) => `t=${t},v1=${signature.slice(0, 128)}`,
      (signature: string, t: string) => `t=${t},e1=${signature.toUpperCase()}`,
      (signature: string, t: string) => `t=${t},e1=${signature.slice(0, 128)}`,
      (signature: string, t: string) => `t=${t},e1=${signature},v1=${'ab'.repeat(64)}`,
      (signature: string, t: string) => `t=${t},e1=${signature.slice(0, 128)}25`,
    ])
      assertError(await send(write), 401, 'AUTH_001');
  });

  test('a signature of the wrong scheme for its id is refused, both ways', async () => {
    const account = new TestAccount();
    const key = new TestKey();
    assertError(await hub().post(key, account.address), 401, 'AUTH_001', /Ethereum/);
    for (const id of ['a-name', key.publicKey]) {
      const t = nextT(hub().clock);
      const signature = account.sign('advertise', id, t, BODY);
      assertError(
        await post(hub(), unsigned(id, `t=${String(t)},e1=${signature}`)),
        401,
        'AUTH_001',
        /Ed25519/,
      );
    }
  });

  test('another account, another text and a replay are refused', async () => {
    const account = new TestAccount();
    const t = nextT(hub().clock);
    const headers = account.headers('advertise', t, BODY);
    const foreign = new TestAccount().sign('advertise', account.address, t, BODY);
    assertError(
      await post(hub(), unsigned(account.address, `t=${String(t)},e1=${foreign}`)),
      401,
      'AUTH_001',
    );
    assertError(await post(hub(), headers, `${BODY} `), 401, 'AUTH_001');
    assert.equal((await post(hub(), headers)).status, 200);
    assertError(await post(hub(), headers), 401, 'AUTH_002');
    assertError(await post(hub(), { ...headers, 'X-Provider-ID': account.lower }), 401, 'AUTH_002');
  });

  test('the proof says how it was signed, and by whom', async () => {
    const account = new TestAccount();
    const t = nextT(hub().clock);
    await post(hub(), account.headers('advertise', t, BODY));
    const { body } = await hub().get(`${itemPath(account.lower)}/proof`);
    assert.deepEqual(body, {
      provider_id: account.address,
      scheme: 'eip191',
      public_key: null,
      t,
      payload: BODY,
      signature: account.sign('advertise', account.address, t, BODY),
    });
  });
});

onBothTransports('unsigned use of Ethereum addresses', { UNSIGNED: 'accept' }, (hub) => {
  test('all spellings are one provider', async () => {
    const { address, lower, upper } = new TestAccount();
    for (const spelling of [lower, upper, address]) {
      const { status, body } = await post(hub(), unsigned(spelling));
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual([body.provider_id, body.verified], [address, false]);
    }
    assert.deepEqual(
      (await listIds(hub(), '')).filter((id) => id.toLowerCase() === lower),
      [address],
    );
    const headers = unsigned(upper);
    assert.equal((await hub().request('DELETE', itemPath(lower), { headers })).status, 200);
  });

  test('it ends with the first signature, in every spelling, and begins again when a name would be free', async () => {
    const account = new TestAccount();
    const { address, lower, upper } = account;
    assert.equal((await post(hub(), unsigned(lower))).status, 200);
    const { body } = await postAs(hub(), account, lower);
    assert.deepEqual([body.provider_id, body.verified], [address, true]);
    const refusedInAllSpellings = async (): Promise<void> => {
      for (const spelling of [lower, upper, address]) {
        const headers = unsigned(spelling);
        assertError(await post(hub(), headers), 403, 'AUTH_004');
        assertError(await hub().request('DELETE', itemPath(spelling), { headers }), 403, 'AUTH_004');
      }
    };
    await refusedInAllSpellings();
    const headers = account.headers('withdraw', nextT(hub().clock), '');
    assert.equal((await hub().request('DELETE', itemPath(address), { headers })).status, 200);
    await refusedInAllSpellings();
  });

  test('a withdrawal and a session are first signatures, too', async () => {
    const account = new TestAccount();
    const headers = account.headers('withdraw', nextT(hub().clock), '');
    assertError(await hub().request('DELETE', itemPath(account.lower), { headers }), 404, 'ADV_004');
    assertError(await post(hub(), unsigned(account.lower)), 403, 'AUTH_004');

    const other = new TestAccount();
    const socket = await hub().connect();
    const { nonce } = await socket.next('welcome');
    socket.send(other.sessionFrame(nonce as string, hub().host, nextT(hub().clock)));
    await socket.next('authenticated');
    assertError(await post(hub(), unsigned(other.lower)), 403, 'AUTH_004');
  });
});

forEachPair('sessions of Ethereum accounts', (pair) => {
  const hub = useHub(pair, {}, { own: true });

  test('any spelling authenticates, advertises and withdraws, under the canonical id', async () => {
    const account = new TestAccount();
    const { address } = account;
    for (const spelling of [account.lower, account.upper, address]) {
      const { socket, nonce } = await greetWithNonce(hub(), pair.codec);
      socket.send(account.sessionFrame(nonce, hub().host, nextT(hub().clock), spelling));
      assert.equal((await socket.next('authenticated'))['provider_id'], address);
      const signed = (
        action: 'advertise' | 'withdraw',
        payload: string,
      ): { t: number; signature: string } => {
        const t = nextT(hub().clock);
        return { t, signature: `0x${account.sign(action, address, t, payload)}` };
      };
      socket.send({ type: 'advertise', id: 2, payload: BODY, ...signed('advertise', BODY) });
      const { advertisement } = await socket.next('advertised');
      assert.equal((advertisement as PublishedAdvertisement).provider_id, address);
      assert.equal((await readAdvertisement(hub(), address)).verified, true);
      socket.send({ type: 'withdraw', id: 3, ...signed('withdraw', '') });
      await socket.next('withdrawn');
    }
  });

  test('one provider has one session, whatever its spelling', async () => {
    const account = new TestAccount();
    const open = async (spelling: string) => {
      const { socket, nonce } = await greetWithNonce(hub(), pair.codec);
      socket.send(account.sessionFrame(nonce, hub().host, nextT(hub().clock), spelling));
      await socket.next('authenticated');
      return socket;
    };
    const first = await open(account.lower);
    await open(account.upper);
    await closesWith(first, 4409);
  });

  test('a public key beside it, and a signature of the wrong scheme, are refused', async () => {
    const account = new TestAccount();
    const key = new TestKey();
    const frameOf = (nonce: string) => account.sessionFrame(nonce, hub().host, nextT(hub().clock));
    for (const change of [
      { public_key: key.publicKey },
      { signature: 'ab'.repeat(64) },
      { provider_id: 'a-name', public_key: key.publicKey },
      { provider_id: key.publicKey },
    ]) {
      const { socket, nonce } = await greetWithNonce(hub(), pair.codec);
      socket.send({ ...frameOf(nonce), ...change });
      assertErrorFrame(await socket.next('error'), 'AUTH_001', 1);
      await closesWith(socket, 4401);
    }
  });
});
