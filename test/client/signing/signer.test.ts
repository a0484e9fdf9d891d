import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  DiscoveryClient,
  ed25519Signer,
  ethereumSigner,
  generateEthereumKey,
  generateKey,
  loadKey,
  loadOrCreateSigner,
  loadSigner,
  ProviderSession,
  saveEthereumKey,
  saveKey,
  type Signer,
  walletSigner,
} from '../../../src/client/node.js';
import { EIP191 } from '../../../src/protocol/schemes/ethereum.js';
import { verifySignature } from '../../../src/protocol/schemes/table.js';
import { sessionPayload } from '../../../src/protocol/signing.js';
import { TestAccount } from '../../support/data/ethereum.js';
import { FakeHub, NONCE, publishedAs } from '../support/fake-hub.js';
import { FakeTime } from '../support/fake-time.js';

const SECRET = '11'.repeat(32);
const ACCOUNT = new TestAccount(Buffer.from(SECRET, 'hex'));
const ADVERTISEMENT = {
  ip_address: '192.168.1.100',
  country: 'SE',
  resources: { cpu: 4, memory: 8, storage: 40 },
};

const folder = mkdtempSync(join(tmpdir(), 'signers-'));
after(() => {
  rmSync(folder, { recursive: true });
});
let files = 0;
function fileOf(text: string): string {
  const path = join(folder, String((files += 1)));
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** A wallet whose user decides later. */
class SlowWallet {
  readonly asked: string[] = [];
  readonly #answers: { sign: () => void; decline: () => void }[] = [];

  readonly signer: Signer = walletSigner(
    ACCOUNT.lower,
    (text) =>
      new Promise((resolve, reject) => {
        this.asked.push(text);
        this.#answers.push({
          sign: () => {
            resolve(ethereumSigner(SECRET).sign(text));
          },
          decline: () => {
            reject(new Error('the user declined'));
          },
        });
      }),
  );

  /** Answers what was asked first, and lets the answer arrive. */
  async answer(how: 'sign' | 'decline'): Promise<void> {
    this.#answers.shift()![how]();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }
}

function begin(key: Signer): { hub: FakeHub; session: ProviderSession } {
  const hub = new FakeHub();
  const options = { webSocket: hub.webSocket, scheduler: new FakeTime(), random: () => 0.5 };
  const session = new ProviderSession('http://hub.example:7465', {
    key,
    advertisement: ADVERTISEMENT,
    ...options,
  });
  session.start();
  return { hub, session };
}

test('a private key makes the signer of its address, in every form', () => {
  const { address } = ACCOUNT;
  for (const secret of [SECRET, `0x${SECRET}`, SECRET.toUpperCase(), Buffer.from(SECRET, 'hex')])
    assert.equal(ethereumSigner(secret).providerId, address);
  assert.notEqual(ethereumSigner(generateEthereumKey()).providerId, address);
  for (const secret of [
    '',
    SECRET.slice(2),
    `${SECRET}00`,
    '00'.repeat(32),
    'ff'.repeat(32),
    new Uint8Array(31),
  ])
    assert.throws(() => ethereumSigner(secret), { code: 'KEY' });
});

test('a wallet is asked in the canonical form of its address, whichever it was given in', () => {
  for (const spelling of [ACCOUNT.address, ACCOUNT.lower, ACCOUNT.upper])
    assert.equal(walletSigner(spelling, () => '').providerId, ACCOUNT.address);
  for (const odd of ['', 'a-name', ACCOUNT.address.toLowerCase().replace('e', 'E'), ACCOUNT.address.slice(2)])
    assert.throws(() => walletSigner(odd, () => ''), { code: 'AUTH_001' });
});

test('a session waits for its wallet, and sends the signature without a public key', async () => {
  const wallet = new SlowWallet();
  const { hub, session } = begin(wallet.signer);
  hub.peer.welcome();
  assert.deepEqual(hub.peer.sent, []);
  await wallet.answer('sign');
  const { provider_id, t, signature, public_key } = hub.peer.last('authenticate');
  assert.deepEqual([provider_id, public_key], [ACCOUNT.address, undefined]);
  const fields = {
    action: 'session' as const,
    providerId: ACCOUNT.address,
    t: t as number,
    payload: sessionPayload(NONCE, 'hub.example:7465'),
  };
  assert.ok(verifySignature(EIP191, fields, ACCOUNT.address, signature as string));
  hub.peer.authenticate();
  assert.match(
    wallet.asked[1]!,
    /^vm-discovery\/v1\nadvertise\n0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A\n/,
  );
  await wallet.answer('sign');
  hub.peer.publish();
  await session.published();
  void session.stop();
});

test('a signature that comes when its connection is gone is not sent over the next one', async () => {
  const wallet = new SlowWallet();
  const { hub, session } = begin(wallet.signer);
  hub.peer.welcome();
  hub.peer.end(1006);
  await wallet.answer('sign');
  assert.deepEqual(hub.peer.sent, []);
  void session.stop();
});

test('a user who declines ends the handshake for good, and leaves a session without the advertisement', async () => {
  const wallet = new SlowWallet();
  const first = begin(wallet.signer);
  first.hub.peer.welcome();
  await wallet.answer('decline');
  assert.deepEqual([first.session.state, first.session.error?.code], ['refused', 'KEY']);

  const { hub, session } = begin(wallet.signer);
  hub.peer.welcome();
  await wallet.answer('sign');
  hub.peer.authenticate();
  const published = assert.rejects(session.published(), { code: 'KEY', message: /declined/ });
  await wallet.answer('decline');
  await published;
  assert.equal(session.state, 'live');
  void session.stop();
});

test('what a signer returns has to be a signature of its scheme', () => {
  for (const odd of ['', 'no', 'ab'.repeat(64), `0x${'ab'.repeat(64)}`]) {
    const { hub, session } = begin({ providerId: ACCOUNT.address, scheme: 'eip191', sign: () => odd });
    hub.peer.welcome();
    assert.deepEqual([session.state, session.error?.code], ['refused', 'KEY']);
  }
});

test('a signer is refused for an id that its scheme does not sign for, or that is not canonical', () => {
  const sign = (): string => '';
  for (const [providerId, scheme] of [
    [ACCOUNT.lower, 'eip191'],
    [ACCOUNT.address, 'ed25519'],
    ['a-name', 'eip191'],
    ['not an id', 'ed25519'],
  ] as const)
    assert.throws(() => begin({ providerId, scheme, sign }), { code: 'AUTH_001' });
});

test('plain requests are signed by any signer, and by a key as ever', async () => {
  const calls: RequestInit[] = [];
  const fetch = ((_url: string, init: RequestInit) => {
    calls.push(init);
    return Promise.resolve(new Response(JSON.stringify(publishedAs('p1'))));
  }) as typeof globalThis.fetch;
  const client = new DiscoveryClient('http://hub.example', { fetch, scheduler: new FakeTime() });
  const key = generateKey();
  await client.advertise(ethereumSigner(SECRET), ADVERTISEMENT);
  await client.advertise(key, ADVERTISEMENT, { providerId: 'p1' });
  await client.advertise(ed25519Signer(key, 'p1'), ADVERTISEMENT);
  const headers = calls.map((call) => call.headers as Record<string, string>);
  assert.deepEqual(
    headers.map((each) => each['X-Provider-ID']),
    [ACCOUNT.address, 'p1', 'p1'],
  );
  assert.match(headers[0]!['X-Provider-Signature']!, /^t=\d+,e1=[0-9a-f]{130}$/);
  for (const each of headers.slice(1))
    assert.match(each['X-Provider-Signature']!, new RegExp(`^t=\\d+,k=${key.publicKey},v1=[0-9a-f]{128}$`));
  const wrongId = client.withdraw(ethereumSigner(SECRET), 'p1');
  await assert.rejects(wrongId, { code: 'AUTH_004' });
});

test('a signer comes out of every form of file', async () => {
  const { address } = ACCOUNT;
  const saved = join(folder, 'saved');
  await saveEthereumKey(saved, Buffer.from(SECRET, 'hex'));
  assert.equal(statSync(saved).mode & 0o777, 0o600);
  await assert.rejects(saveEthereumKey(saved, Buffer.from(SECRET, 'hex')), {
    code: 'KEY',
    message: /exists/,
  });
  const json = (account: object): string => fileOf(JSON.stringify(account));
  for (const path of [
    saved,
    fileOf(`0x${SECRET}`),
    json({ address, private_key: SECRET }),
    json({ address: ACCOUNT.lower, private_key: `0x${SECRET}`, network: 'holesky' }),
  ]) {
    const { providerId, scheme } = await loadSigner(path);
    assert.deepEqual([providerId, scheme], [address, 'eip191']);
    assert.equal((await loadSigner(path, ACCOUNT.lower)).providerId, address);
    await assert.rejects(loadSigner(path, 'a-name'), { code: 'AUTH_004' });
  }
  const pem = execFileSync('openssl', ['ecparam', '-name', 'secp256k1', '-genkey', '-noout'], {
    encoding: 'utf8',
  });
  assert.match((await loadSigner(fileOf(pem))).providerId, /^0x/);
  const ed25519 = join(folder, 'ed25519.pem');
  const key = generateKey();
  await saveKey(ed25519, key);
  assert.equal((await loadSigner(ed25519)).providerId, key.publicKey);
  assert.equal((await loadSigner(ed25519, 'a-name')).providerId, 'a-name');
  const made = join(folder, 'made.pem');
  const { providerId } = await loadOrCreateSigner(made);
  assert.equal((await loadKey(made)).publicKey, providerId);
  assert.equal((await loadOrCreateSigner(made)).providerId, providerId);
});

test('a key may come through a pipe, of which the shell makes a path', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', ['-m', '600', pipe]);
  const written = writeFile(pipe, SECRET);
  assert.equal((await loadSigner(pipe)).providerId, ACCOUNT.address);
  await written;
  const endless = writeFile(pipe, SECRET.repeat(10_000));
  await assert.rejects(loadSigner(pipe), { code: 'KEY', message: `${pipe} is too large to be a key` });
  await assert.rejects(endless, { code: 'EPIPE' });
});

test('what is no key, or is not kept to oneself, is refused with the reason', async () => {
  const other = new TestAccount().address;
  for (const [text, message] of [
    ['', /does not hold a key/],
    ['nonsense', /does not hold a key/],
    ['00'.repeat(32), /does not hold a key/],
    ['{"address":"0x"}', /address and private_key/],
    ['{', /address and private_key/],
    [JSON.stringify({ address: other, private_key: SECRET }), /names the address/],
  ] as const)
    await assert.rejects(loadSigner(fileOf(text)), { code: 'KEY', message });
  const missing = join(folder, 'missing.pem');
  await assert.rejects(loadSigner(missing), {
    code: 'KEY',
    message: `there is no key file ${missing}: "discovery-hub keygen --key ${missing}" makes a key`,
  });
  const odd = `${folder} is not a file`;
  await assert.rejects(loadSigner(folder), { code: 'KEY', message: odd });
  const open = fileOf(SECRET);
  chmodSync(open, 0o644);
  await assert.rejects(loadOrCreateSigner(open), { code: 'KEY', message: /chmod 600/ });
});
