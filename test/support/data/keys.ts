import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export type Action = 'advertise' | 'withdraw' | 'session';

/** Ids that pass for a key id or an Ethereum address in the eyes of people and lists, and are neither of them nor a name. */
export const LOOKALIKES = [
  'A'.repeat(64),
  `${'ab'.repeat(31)}aB`,
  `0X${'ab'.repeat(20)}`,
  `0X${'AB'.repeat(20)}`,
  '0X52908400098527886E0F7030069857D2E4169EE7',
];

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
