import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type SignedAction, signedBytes } from '../../src/protocol/signing.js';

/** libsodium signs in half of the time that node:crypto takes; null where there is no binary of it. */
const sodium = await import('sodium-native').then(
  (module) => module.default,
  () => null,
);

/** A provider's key: makes signatures with the fastest there is. */
export class SigningKey {
  /** 64 hex digits, also the provider's id. */
  readonly id: string;
  readonly publicDer: Buffer;
  readonly #privateKey: KeyObject;
  /** Seed and public key, as libsodium wants them. */
  readonly #secretKey: Buffer;

  constructor() {
    const { privateKey } = generateKeyPairSync('ed25519');
    this.#privateKey = privateKey;
    this.publicDer = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    const publicKey = this.publicDer.subarray(-32);
    this.id = publicKey.toString('hex');
    const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
    this.#secretKey = Buffer.concat([seed, publicKey]);
  }

  /** The bytes that are signed under this key's id, and the signature. */
  sign(action: SignedAction, t: number, payload: string): { bytes: Uint8Array; signature: Buffer } {
    const bytes = signedBytes({ action, providerId: this.id, t, payload });
    return { bytes, signature: this.#sign(bytes) };
  }

  #sign(bytes: Uint8Array): Buffer {
    if (sodium === null) return sign(null, bytes, this.#privateKey);
    const signature = Buffer.allocUnsafe(64);
    sodium.crypto_sign_detached(
      signature,
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
      this.#secretKey,
    );
    return signature;
  }
}
