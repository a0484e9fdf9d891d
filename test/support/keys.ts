import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export type Action = 'advertise' | 'withdraw' | 'session';

/** A provider's key. It signs with node:crypto, independently of the code under test. */
export class TestKey {
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  constructor(privateKey: KeyObject = generateKeyPairSync('ed25519').privateKey) {
    this.#privateKey = privateKey;
    const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    this.publicKey = der.subarray(-32).toString('hex');
  }

  static fromSeed(seedHex: string): TestKey {
    const der = Buffer.from(`302e020100300506032b657004220420${seedHex}`, 'hex');
    return new TestKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  }

  /** Lower-case hex. */
  sign(action: Action, providerId: string, t: number, payload: string | Uint8Array): string {
    const head = Buffer.from(`vm-discovery/v1\n${action}\n${providerId}\n${String(t)}\n`);
    return sign(null, Buffer.concat([head, Buffer.from(payload)]), this.#privateKey).toString('hex');
  }

  /** The two headers of a signed request. */
  headers(
    action: Action,
    providerId: string,
    t: number,
    payload: string | Uint8Array,
  ): Record<string, string> {
    const signature = this.sign(action, providerId, t, payload);
    return {
      'X-Provider-ID': providerId,
      'X-Provider-Signature': `t=${String(t)},k=${this.publicKey},v1=${signature}`,
    };
  }
}
