import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { KeyPair } from '../../protocol/schemes/ed25519.js';
import { DiscoveryError } from '../errors.js';
import { generateKey, keyFromSeed, seedOf } from '../signing/keys.js';
import { isMissing, readPrivateFile, writePrivateFile } from './private-file.js';

/** What precedes the 32 bytes of the seed in the PKCS#8 form of an Ed25519 key (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Writes a key to a new file that only its owner may read (mode 0600), as PKCS#8 PEM: what
 * `openssl genpkey -algorithm ed25519` writes.
 * @throws DiscoveryError `KEY` if the file already exists (it is never overwritten) or cannot be written.
 */
export async function saveKey(path: string, key: KeyPair): Promise<void> {
  const base64 = Buffer.concat([PKCS8_HEAD, seedOf(key)]).toString('base64');
  await writePrivateFile(path, `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`);
}

/**
 * Reads a key that `saveKey` or `openssl genpkey -algorithm ed25519` wrote.
 * @throws DiscoveryError `KEY` if there is none, if it is of another kind or encrypted, or if others than the file's owner may read it (not
 * checked on Windows).
 */
export async function loadKey(path: string): Promise<KeyPair> {
  const key = readPem(path, await readPrivateFile(path));
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new DiscoveryError(
      'KEY',
      `${path} holds a key of type ${String(key.asymmetricKeyType)}; make one with "openssl genpkey -algorithm ed25519"`,
    );
  }
  return keyPairOf(key);
}

/**
 * Reads a private key in PEM form.
 * @throws DiscoveryError `KEY` if there is none, or it is encrypted.
 */
export function readPem(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch (cause) {
    const problem = pem.includes('ENCRYPTED')
      ? 'is encrypted; decrypt it with "openssl pkey"'
      : 'does not hold a private key in PEM form';
    throw new DiscoveryError('KEY', `${path} ${problem}`, { cause });
  }
}

/** The key pair of an Ed25519 key. */
export function keyPairOf(key: KeyObject): KeyPair {
  return keyFromSeed(Buffer.from(key.export({ format: 'jwk' }).d!, 'base64url'));
}

/**
 * Reads the key in a file; if there is no such file, creates and saves a new key.
 * @throws DiscoveryError `KEY` like `loadKey` and `saveKey`.
 */
export async function loadOrCreateKey(path: string): Promise<KeyPair> {
  try {
    return await loadKey(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const key = generateKey();
  await saveKey(path, key);
  return key;
}
