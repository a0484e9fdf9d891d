import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type SignedAction, signedBytes } from '../../src/protocol/signing.js';

/** A provider's key: makes signatures with node:crypto, the fastest there is. */
export class SigningKey {
  /** 64 hex digits, also the provider's id. */
  readonly id: string;
  readonly publicDer: Buffer;
  readonly #privateKey: KeyObject;

  constructor() {
    const { privateKey } = generateKeyPairSync('ed25519');
    this.#privateKey = privateKey;
    this.publicDer = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    this.id = this.publicDer.subarray(-32).toString('hex');
  }

  /** The bytes that are signed under this key's id, and the signature. */
  sign(action: SignedAction, t: number, payload: string): { bytes: Uint8Array; signature: Buffer } {
    const bytes = signedBytes({ action, providerId: this.id, t, payload });
    return { bytes, signature: sign(null, bytes, this.#privateKey) };
  }
}
