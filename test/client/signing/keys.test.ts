import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import {
  generateKey,
  keyFromSeed,
  loadKey,
  loadOrCreateKey,
  saveKey,
  seedOf,
} from '../../../src/client/node.js';
import { signBytes } from '../../../src/protocol/schemes/ed25519.js';
import { signedBytes } from '../../../src/protocol/signing.js';

const folder = mkdtempSync(join(tmpdir(), 'keys-'));
after(() => {
  rmSync(folder, { recursive: true });
});
let files = 0;
const newPath = (): string => join(folder, `${String((files += 1))}.pem`);
const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });

/** The public key of a PEM file, as openssl sees it. */
function publicKeyOf(path: string): string {
  const pem = openssl('pkey', '-in', path, '-pubout');
  return createPublicKey(pem).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
}

test('keys are new each time, and come back from their seed', () => {
  const key = generateKey();
  assert.match(key.publicKey, /^[0-9a-f]{64}$/);
  assert.notEqual(generateKey().publicKey, key.publicKey);
  const seed = seedOf(key);
  assert.equal(seed.length, 32);
  assert.equal(keyFromSeed(seed).publicKey, key.publicKey);
  assert.equal(keyFromSeed(Buffer.from(seed).toString('hex').toUpperCase()).publicKey, key.publicKey);
});

test('a seed makes the key that RFC 8032 says', () => {
  const { publicKey } = keyFromSeed('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
  assert.equal(publicKey, 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
});

test('what is no seed is refused', () => {
  for (const seed of ['', 'ab', 'x'.repeat(64), new Uint8Array(31), new Uint8Array(64)]) {
    assert.throws(() => keyFromSeed(seed), { code: 'KEY' });
  }
});

test('the secret does not show where a key is logged', () => {
  const key = generateKey();
  assert.equal(JSON.stringify(key), JSON.stringify({ publicKey: key.publicKey }));
  assert.ok(!inspect(key).includes('secretKey'));
});

test('a saved key can be read back, here and by openssl', async () => {
  const path = newPath();
  const key = generateKey();
  await saveKey(path, key);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal((await loadKey(path)).publicKey, key.publicKey);
  assert.equal(publicKeyOf(path), key.publicKey);
  assert.equal(openssl('pkey', '-in', path), readFileSync(path, 'utf8'));
});

test('a key of openssl can be read, and signs as openssl verifies', async () => {
  const path = newPath();
  openssl('genpkey', '-algorithm', 'ed25519', '-out', path);
  chmodSync(path, 0o600);
  const key = await loadKey(path);
  assert.equal(key.publicKey, publicKeyOf(path));
  const fields = { action: 'withdraw', providerId: 'p1', t: 1, payload: '' } as const;
  const signature = Buffer.from(signBytes(signedBytes(fields), key), 'hex');
  assert.ok(verify(null, signedBytes(fields), openssl('pkey', '-in', path, '-pubout'), signature));
});

test('a key is never overwritten', async () => {
  const path = newPath();
  await saveKey(path, generateKey());
  const before = readFileSync(path, 'utf8');
  await assert.rejects(saveKey(path, generateKey()), { code: 'KEY', message: /exists already/ });
  assert.equal(readFileSync(path, 'utf8'), before);
});

test('a folder that is not there is named', async () => {
  const path = join(folder, 'no', 'such', 'key.pem');
  await assert.rejects(saveKey(path, generateKey()), { code: 'KEY', message: /no\/such\/key\.pem/ });
  await assert.rejects(loadKey(path), { code: 'KEY', message: /no\/such\/key\.pem/ });
  await assert.rejects(loadOrCreateKey(path), { code: 'KEY' });
});

test('a key that others can read is not used', { skip: process.platform === 'win32' }, async () => {
  for (const mode of [0o640, 0o604, 0o660, 0o644]) {
    const path = newPath();
    await saveKey(path, generateKey());
    chmodSync(path, mode);
    await assert.rejects(loadKey(path), { code: 'KEY', message: /by others.*chmod 600/ });
    await assert.rejects(loadOrCreateKey(path), { code: 'KEY', message: /chmod 600/ });
  }
});

test('what is no Ed25519 key is named as what it is', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const ed = generateKeyPairSync('ed25519').privateKey;
  const pkcs8 = { format: 'pem', type: 'pkcs8' } as const;
  for (const [content, message] of [
    [rsa.export(pkcs8), /type rsa/],
    [ed.export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'secret' }), /encrypted/],
    ['not a key', /does not hold a private key/],
    ['', /does not hold a private key/],
    ['x'.repeat(100_000), /too large/],
  ] as const) {
    const path = newPath();
    writeFileSync(path, content, { mode: 0o600 });
    await assert.rejects(loadKey(path), { code: 'KEY', message });
  }
});

test('a key is made where there is none, and found the next time', async () => {
  const path = newPath();
  const key = await loadOrCreateKey(path);
  assert.equal((await loadOrCreateKey(path)).publicKey, key.publicKey);
  assert.equal(publicKeyOf(path), key.publicKey);
});
