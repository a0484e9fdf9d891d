import { secp256k1 } from '@noble/curves/secp256k1';
import { keccak_256 } from '@noble/hashes/sha3';
import type { Action } from './keys.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** An Ethereum account, made from the libraries alone, independently of the code under test. */
export class TestAccount {
  /** In EIP-55 form. */
  readonly address: string;
  readonly #secretKey: Uint8Array;

  constructor(secretKey: Uint8Array = secp256k1.utils.randomSecretKey()) {
    this.#secretKey = secretKey;
    const digits = hex(keccak_256(secp256k1.getPublicKey(secretKey, false).subarray(1)).subarray(12));
    const checksum = hex(keccak_256(Buffer.from(digits, 'latin1')));
    const cased = digits.replace(/./g, (digit, at: number) =>
      checksum[at]! >= '8' ? digit.toUpperCase() : digit,
    );
    this.address = `0x${cased}`;
  }

  get lower(): string {
    return this.address.toLowerCase();
  }

  get upper(): string {
    return `0x${this.address.slice(2).toUpperCase()}`;
  }

  /** r, s and v (27 or 28) as 130 digits of hex. */
  sign(action: Action, providerId: string, t: number, payload: string): string {
    const text = Buffer.from(`vm-discovery/v1\n${action}\n${providerId}\n${String(t)}\n${payload}`);
    const message = Buffer.concat([
      Buffer.from(`\x19Ethereum Signed Message:\n${String(text.length)}`),
      text,
    ]);
    const signature = secp256k1.sign(keccak_256(message), this.#secretKey, { lowS: true, prehash: false });
    return hex(signature.toBytes('compact')) + (27 + signature.recovery).toString(16);
  }

  /** The two headers of a signed request; the id is sent as `spelling`, and signed in its canonical form. */
  headers(action: Action, t: number, payload: string, spelling = this.address): Record<string, string> {
    const signature = this.sign(action, this.address, t, payload);
    return { 'X-Provider-ID': spelling, 'X-Provider-Signature': `t=${String(t)},e1=${signature}` };
  }

  /** The frame that authenticates a session. */
  sessionFrame(nonce: string, host: string, t: number, spelling = this.address): Record<string, unknown> {
    const signature = this.sign('session', this.address, t, `${nonce}\n${host}`);
    return { type: 'authenticate', id: 1, provider_id: spelling, t, signature };
  }
}
