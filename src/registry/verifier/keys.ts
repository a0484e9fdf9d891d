import { createPublicKey, type KeyObject } from 'node:crypto';

const MAX_KEYS = 8192;

/** Imported keys, those that were used last: whoever comes once comes again. */
export class Keys {
  readonly #keys = new Map<string, KeyObject>();

  /** @param publicKey 32 bytes. */
  get(publicKey: Buffer): KeyObject {
    const name = publicKey.toString('base64url');
    const known = this.#keys.get(name);
    if (known !== undefined) {
      // Inserted again, so that the first key in the map is the one that was used longest ago.
      this.#keys.delete(name);
      this.#keys.set(name, known);
      return known;
    }
    // OpenSSL takes ten times as long to find out what a key in DER is.
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: name }, format: 'jwk' });
    if (this.#keys.size >= MAX_KEYS) this.#keys.delete(this.#keys.keys().next().value!);
    this.#keys.set(name, key);
    return key;
  }
}
