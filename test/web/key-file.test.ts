import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  ed25519Signer,
  ethereumSigner,
  generateEthereumKey,
  generateKey,
  saveEthereumKey,
  saveKey,
} from '../../src/client/node.js';
import { toHex } from '../../src/protocol/text.js';
import { readChosenFile, readKeyFile } from '../../web/model/key-file.js';
import { scratchFolder } from '../process/hub-process.js';

test('the files that keys are saved in are read as elsewhere, without Node', async (t) => {
  const folder = scratchFolder(t);
  const key = generateKey();
  await saveKey(join(folder, 'key.pem'), key);
  const signer = readKeyFile(readFileSync(join(folder, 'key.pem'), 'utf8'));
  assert.equal(signer.providerId, key.publicKey);
  assert.equal(signer.sign('text'), ed25519Signer(key).sign('text'));

  const account = generateEthereumKey();
  await saveEthereumKey(join(folder, 'account.hex'), account);
  const { providerId } = ethereumSigner(account);
  assert.equal(readKeyFile(readFileSync(join(folder, 'account.hex'), 'utf8')).providerId, providerId);
  const json = JSON.stringify({ address: providerId, private_key: `0x${toHex(account)}` });
  assert.equal(readKeyFile(json).providerId, providerId);
});

test('what is no key is refused, and the reason does not give away what it is', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  for (const text of [
    '',
    'secret',
    '{',
    '{}',
    '{"private_key":7}',
    'ab'.repeat(31),
    'x'.repeat(20_000),
    String(rsa),
  ]) {
    assert.throws(
      () => readKeyFile(text),
      (error: Error) => error.name === 'DiscoveryError' && !error.message.includes('secret'),
      text.slice(0, 40),
    );
  }
});

test('odd files are named for what they are', async () => {
  const key = generateKeyPairSync('ed25519');
  const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const binary = new Uint8Array(64).map((_, index) => index * 7);
  for (const [content, said] of [
    ['', /is empty/],
    [' \n', /is empty/],
    [binary, /is not text/],
    [new Uint8Array(50_000_000), /too long|is empty|is not text/],
    ['a'.repeat(50_000_000), /too long/],
    [key.privateKey.export(encrypted).toString(), /is encrypted/],
    [key.publicKey.export({ type: 'spki', format: 'pem' }).toString(), /public key/],
    [ec.export({ type: 'sec1', format: 'pem' }).toString(), /no Ed25519 key/],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n', /no Ed25519 key/],
  ] as const) {
    await assert.rejects(readChosenFile(new Blob([content])), (error: Error) => {
      assert.equal(error.name, 'DiscoveryError');
      assert.match(error.message, said);
      return true;
    });
  }
  const folder = { slice: () => ({ text: () => Promise.reject(new Error('a browser’s words')) }) };
  await assert.rejects(readChosenFile(folder as unknown as Blob), /may be a folder/);
});
