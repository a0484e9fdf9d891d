import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { VerifyBytes } from './verify-bytes.js';

/** The fastest there is on this machine. */
export async function loadVerifyEd25519(): Promise<VerifyBytes> {
  return (await loadSodium()) ?? withOpenssl();
}

/** libsodium, which takes half of OpenSSL's time; null where there is no binary of it, as with musl or an old glibc. */
export async function loadSodium(): Promise<VerifyBytes | null> {
  try {
    const { default: sodium } = await import('sodium-native');
    return (bytes, publicKey, signature) => sodium.crypto_sign_verify_detached(signature, bytes, publicKey);
  } catch {
    return null;
  }
}

const MAX_KEYS = 8192;

/** OpenSSL, which comes with Node. Its keys have to be imported: those that were used last are kept, up to a bound. */
export function withOpenssl(): VerifyBytes {
  const keys = new Map<string, KeyObject>();
  return (bytes, publicKey, signature) => {
    const name = publicKey.toString('base64url');
    try {
      const key = keys.get(name) ?? importKey(name);
      // Inserted again, so that the first key in the map is the one that was used longest ago.
      keys.delete(name);
      keys.set(name, key);
      if (keys.size > MAX_KEYS) keys.delete(keys.keys().next().value!);
      return verify(null, bytes, key, signature);
    } catch {
      // The library does not take every key that is well formed.
      return false;
    }
  };
}

/** OpenSSL takes ten times as long to find out what a key in DER is. */
function importKey(base64url: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: base64url }, format: 'jwk' });
}
