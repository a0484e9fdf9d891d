import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type SignedAction, signedBytes } from '../../src/protocol/signing.js';

/** libsodium, which signs twice as fast as node:crypto; null if it has no binary for this machine. */
const sodium = await import('sodium-native').then(
  (module) => module.default,
  () => null,
);

/** A provider's key, which signs with the fastest library available. */
export class SigningKey {
  /** 64 hex digits, also the provider's id. */
  readonly id: string;
  readonly publicDer: Buffer;
  readonly #privateKey: KeyObject;
  /** Seed and public key, as libsodium expects them. */
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

  /** The signed bytes under this key's id, and the signature. */
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
