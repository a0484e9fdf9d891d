import type { KeyObject } from 'node:crypto';
import * as z from 'zod';
import { canonicalAddress } from '../../protocol/schemes/ethereum-address.js';
import { toHex } from '../../protocol/text.js';
import { DiscoveryError } from '../errors.js';
import { ed25519Signer, ethereumSigner, type Signer } from '../signing/signer.js';
import { keyPairOf, loadOrCreateKey, readPem } from './key-file.js';
import { isMissing, readPrivateFile, writePrivateFile } from './private-file.js';

/** The first generation's file format for accounts. */
const firstGenerationSchema = z.object({ address: z.string(), private_key: z.string() });

/**
 * Writes the private key of an Ethereum account to a new file that only its owner may read (mode 0600), as 64 hex digits, the form that
 * `geth account import` and other tools read.
 * @throws DiscoveryError `KEY` if the file already exists (it is never overwritten) or cannot be written.
 */
export async function saveEthereumKey(path: string, privateKey: Uint8Array): Promise<void> {
  ethereumSigner(privateKey);
  await writePrivateFile(path, `${toHex(privateKey)}\n`);
}

/**
 * Creates a signer from the key in a file: a PEM (Ed25519, or secp256k1 for an Ethereum account), the private key of an Ethereum account as 64
 * hex digits, or the first generation's JSON with `address` and `private_key`.
 * @param providerId A name that an Ed25519 key owns, or will own after its first use; by default the key's own id.
 * @throws DiscoveryError `KEY` if there is no such key, or if others than the file's owner may read it (not checked on Windows), `AUTH_001` or
 * `AUTH_004` if it cannot own the id.
 */
export async function loadSigner(path: string, providerId?: string): Promise<Signer> {
  const text = (await readPrivateFile(path)).trim();
  if (text.startsWith('-----')) return fromPem(path, readPem(path, text), providerId);
  const signer = text.startsWith('{') ? fromFirstGeneration(path, text) : fromHexDigits(path, text);
  return forId(signer, providerId);
}

/**
 * Creates a signer from the key in a file; if there is no such file, creates and saves an Ed25519 key.
 * @throws DiscoveryError like `loadSigner` and `saveKey`.
 */
export async function loadOrCreateSigner(path: string, providerId?: string): Promise<Signer> {
  try {
    return await loadSigner(path, providerId);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return ed25519Signer(await loadOrCreateKey(path), providerId);
}

function fromPem(path: string, key: KeyObject, providerId: string | undefined): Signer {
  if (key.asymmetricKeyType === 'ed25519') return ed25519Signer(keyPairOf(key), providerId);
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'secp256k1') {
    return forId(ethereumSigner(Buffer.from(key.export({ format: 'jwk' }).d!, 'base64url')), providerId);
  }
  throw new DiscoveryError(
    'KEY',
    `${path} holds a key of type ${String(key.asymmetricKeyType)}; an Ed25519 key is needed, or a secp256k1 key for an Ethereum account`,
  );
}

function fromHexDigits(path: string, text: string): Signer {
  try {
    return ethereumSigner(text);
  } catch (cause) {
    throw new DiscoveryError(
      'KEY',
      `${path} does not hold a key: neither a private key in PEM form, nor 64 hex digits, nor JSON with address and private_key`,
      { cause },
    );
  }
}

function fromFirstGeneration(path: string, text: string): Signer {
  let account: z.infer<typeof firstGenerationSchema>;
  try {
    account = firstGenerationSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DiscoveryError('KEY', `${path} is no JSON with address and private_key`, { cause });
  }
  const signer = fromHexDigits(path, account.private_key);
  if (canonicalAddress(account.address) !== signer.providerId) {
    throw new DiscoveryError(
      'KEY',
      `${path} names the address ${account.address}, but its key is that of ${signer.providerId}`,
    );
  }
  return signer;
}

/** An account is its own provider id; a name needs an Ed25519 key. */
function forId(signer: Signer, providerId: string | undefined): Signer {
  if (providerId === undefined || canonicalAddress(providerId) === signer.providerId) return signer;
  throw new DiscoveryError(
    'AUTH_004',
    `the key is that of the Ethereum account ${signer.providerId}, which cannot speak for ${providerId}`,
  );
}
