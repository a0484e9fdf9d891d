import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { createRequire } from 'node:module';
import type { crypto_sign_verify_detached } from 'sodium-native';
import type { VerifyBytes } from './verify-bytes.js';

/** Loads the fastest library available on this machine. */
export function loadVerifyEd25519(): VerifyBytes {
  return loadSodium() ?? withOpenssl();
}

/** The part of libsodium that is used. */
interface Sodium {
  crypto_sign_verify_detached: typeof crypto_sign_verify_detached;
}

/**
 * libsodium, twice as fast as OpenSSL; null if there is no binary for this machine, as with musl or an old glibc. It is not imported, because Node
 * would read all of the package for the names of its hundreds of exports first.
 */
export function loadSodium(): VerifyBytes | null {
  try {
    const sodium = createRequire(import.meta.url)('sodium-native') as Sodium;
    return (bytes, publicKey, signature) => sodium.crypto_sign_verify_detached(signature, bytes, publicKey);
  } catch {
    return null;
  }
}

const MAX_KEYS = 8192;

/** OpenSSL, which comes with Node. Keys have to be imported; a bounded LRU cache keeps them. */
export function withOpenssl(): VerifyBytes {
  const keys = new Map<string, KeyObject>();
  return (bytes, publicKey, signature) => {
    const name = publicKey.toString('base64url');
    try {
      const key = keys.get(name) ?? importKey(name);
      // Reinserted, so that the first key in the map is the least recently used.
      keys.delete(name);
      keys.set(name, key);
      if (keys.size > MAX_KEYS) keys.delete(keys.keys().next().value!);
      return verify(null, bytes, key, signature);
    } catch {
      // The library rejects some well-formed keys.
      return false;
    }
  };
}

/** Imports a key as a JWK: OpenSSL takes ten times as long for DER. */
function importKey(base64url: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: base64url }, format: 'jwk' });
}
