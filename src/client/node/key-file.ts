import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import type { KeyPair } from '../../protocol/schemes/ed25519.js';
import { DiscoveryError } from '../errors.js';
import { generateKey, keyFromSeed, seedOf } from '../keys.js';

/** What precedes the 32 bytes of the seed in the PKCS#8 form of an Ed25519 key (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
/** Bytes of a file that is read as a key; a real one has 119. */
const MAX_FILE_BYTES = 64 * 1024;
const FOR_OTHERS = 0o077;

/**
 * Writes a key to a new file that only its owner may read (mode 0600), as PKCS#8 PEM: what
 * `openssl genpkey -algorithm ed25519` writes.
 * @throws DiscoveryError `KEY` when there is such a file already (it is never overwritten), or it cannot be written.
 */
export async function saveKey(path: string, key: KeyPair): Promise<void> {
  const base64 = Buffer.concat([PKCS8_HEAD, seedOf(key)]).toString('base64');
  let file: FileHandle;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (cause) {
    const message =
      codeOf(cause) === 'EEXIST'
        ? `${path} exists already; a key is never overwritten`
        : `the key cannot be written to ${path}: ${(cause as Error).message}`;
    throw new DiscoveryError('KEY', message, { cause });
  }
  try {
    await file.writeFile(`-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`);
    await file.sync();
  } catch (cause) {
    // Half a key would be in the way of the next try.
    await unlink(path).catch(() => undefined);
    throw new DiscoveryError('KEY', `the key cannot be written to ${path}: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    await file.close();
  }
}

/**
 * Reads a key that `saveKey` or `openssl genpkey -algorithm ed25519` wrote.
 * @throws DiscoveryError `KEY` when there is none, when it is of another kind or encrypted, and when others than
 * the file's owner may read it (not checked on Windows).
 */
export async function loadKey(path: string): Promise<KeyPair> {
  const pem = await readPrivateFile(path);
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: 'pem' });
  } catch (cause) {
    const problem = pem.includes('ENCRYPTED')
      ? 'is encrypted; decrypt it with "openssl pkey"'
      : 'does not hold a private key in PEM form';
    throw new DiscoveryError('KEY', `${path} ${problem}`, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new DiscoveryError(
      'KEY',
      `${path} holds a key of type ${String(key.asymmetricKeyType)}; make one with "openssl genpkey -algorithm ed25519"`,
    );
  }
  return keyFromSeed(Buffer.from(key.export({ format: 'jwk' }).d!, 'base64url'));
}

/**
 * Reads the key in a file; makes and saves a new one when there is no such file.
 * @throws DiscoveryError `KEY` as `loadKey` and `saveKey` do.
 */
export async function loadOrCreateKey(path: string): Promise<KeyPair> {
  try {
    return await loadKey(path);
  } catch (error) {
    if (codeOf((error as DiscoveryError).cause) !== 'ENOENT') throw error;
  }
  const key = generateKey();
  await saveKey(path, key);
  return key;
}

async function readPrivateFile(path: string): Promise<string> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    throw new DiscoveryError('KEY', `the key cannot be read: ${(cause as Error).message}`, { cause });
  }
  try {
    const { mode, size } = await file.stat();
    if (process.platform !== 'win32' && (mode & FOR_OTHERS) !== 0) {
      throw new DiscoveryError(
        'KEY',
        `${path} can be read by others than its owner (mode ${(mode & 0o777).toString(8).padStart(4, '0')}); run: chmod 600 ${path}`,
      );
    }
    if (size > MAX_FILE_BYTES) throw new DiscoveryError('KEY', `${path} is too large to be a key`);
    return await file.readFile('utf8');
  } catch (error) {
    throw DiscoveryError.from(error, 'KEY');
  } finally {
    await file.close();
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}
