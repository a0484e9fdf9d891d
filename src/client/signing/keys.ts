import { readProviderId } from '../../protocol/provider-id.js';
import { ED25519, type KeyPair, keyPairFromSeed } from '../../protocol/schemes/ed25519.js';
import { isPrivateKey } from '../../protocol/schemes/ethereum.js';
import { fromHex } from '../../protocol/text.js';
import { DiscoveryError } from '../errors.js';

/** The part of the platform's `crypto` that is used. */
interface PlatformCrypto {
  getRandomValues(bytes: Uint8Array): Uint8Array;
}

const SEED_BYTES = 32;
const SEED_PATTERN = /^[0-9a-fA-F]{64}$/;

/** Generates an Ed25519 key from the platform's randomness. Its public key is a provider id. */
export function generateKey(): KeyPair {
  const { crypto } = globalThis as unknown as { crypto: PlatformCrypto };
  return keyFromSeed(crypto.getRandomValues(new Uint8Array(SEED_BYTES)));
}

/** Generates the private key of a new Ethereum account from the platform's randomness: 32 bytes. */
export function generateEthereumKey(): Uint8Array {
  const { crypto } = globalThis as unknown as { crypto: PlatformCrypto };
  const privateKey = new Uint8Array(SEED_BYTES);
  do crypto.getRandomValues(privateKey);
  while (!isPrivateKey(privateKey));
  return privateKey;
}

/**
 * The key of a 32-byte seed, given as bytes or as 64 hex digits: the private key as RFC 8032 has it. The secret
 * part is not enumerable, so that it does not end up in a log by accident.
 * @throws DiscoveryError `KEY`
 */
export function keyFromSeed(seed: Uint8Array | string): KeyPair {
  const bytes = typeof seed === 'string' && SEED_PATTERN.test(seed) ? fromHex(seed.toLowerCase()) : seed;
  if (typeof bytes === 'string' || bytes.length !== SEED_BYTES) {
    throw new DiscoveryError('KEY', 'the seed of a key is 32 bytes, or 64 hex digits');
  }
  const { publicKey, secretKey } = keyPairFromSeed(bytes);
  return Object.defineProperty({ publicKey } as KeyPair, 'secretKey', { value: secretKey });
}

/** The 32-byte seed that a key was made from. */
export function seedOf(key: KeyPair): Uint8Array {
  return key.secretKey.slice(0, SEED_BYTES);
}

/**
 * Checks that an Ed25519 key may speak for a provider id, as far as the client can tell.
 * @throws DiscoveryError `AUTH_001` for an id that no Ed25519 key can own, `AUTH_004` for the id of another key.
 */
export function checkProviderId(providerId: string, key: KeyPair): string {
  const id = readProviderId(providerId);
  if (id?.scheme !== ED25519) {
    throw new DiscoveryError(
      'AUTH_001',
      `${JSON.stringify(providerId.slice(0, 128))} cannot be the provider id of an Ed25519 key: use the public key, or a name of 1 to 128 of A-Z a-z 0-9 . _ : - that begins with a letter or digit and looks neither like a key nor like an Ethereum address`,
    );
  }
  if (id.kind === 'key' && providerId !== key.publicKey) {
    throw new DiscoveryError('AUTH_004', `the provider id ${providerId} is the public key of another key`);
  }
  return providerId;
}
