import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { isAcceptablePublicKey, isCanonicalSignature } from '../protocol/signing.js';

/** Says whether a signature is valid; rejects only when too many already wait. */
export type VerifySignature = (bytes: Uint8Array, publicKey: string, signature: string) => Promise<boolean>;

/** More verifications wait than the hub takes on. */
export class VerifierOverloadedError extends Error {
  override readonly name = 'VerifierOverloadedError';
}

const MAX_CACHED_KEYS = 8192;
const MAX_WAITING = 20_000;
/** As many as the thread pool runs at once, and one each to follow without a pause. */
const MAX_RUNNING = 8;

interface Job {
  bytes: Uint8Array;
  publicKey: string;
  signature: Buffer;
  resolve: (valid: boolean) => void;
}

/**
 * Verifies Ed25519 signatures on the thread pool, first come first served, so that a crowd of providers coming
 * back does not hold up the event loop. Imported keys are kept: whoever comes once comes again.
 */
export class Verifier {
  readonly #keys = new Map<string, KeyObject>();
  readonly #waiting: Job[] = [];
  #head = 0;
  #running = 0;

  /** Jobs that wait or run. */
  get pending(): number {
    return this.#waiting.length - this.#head + this.#running;
  }

  /** @throws VerifierOverloadedError (as a rejection) when too many wait. */
  readonly verify: VerifySignature = (bytes, publicKey, signature) => {
    if (!isAcceptablePublicKey(publicKey) || !isCanonicalSignature(signature)) return Promise.resolve(false);
    if (this.pending >= MAX_WAITING) return Promise.reject(new VerifierOverloadedError());
    return new Promise((resolve) => {
      this.#waiting.push({ bytes, publicKey, signature: Buffer.from(signature, 'hex'), resolve });
      this.#startNext();
    });
  };

  #startNext(): void {
    while (this.#running < MAX_RUNNING && this.#head < this.#waiting.length) {
      const job = this.#waiting[this.#head]!;
      this.#head += 1;
      // The queue is cut from time to time instead of shifted each time, which would move all of it.
      if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
        this.#waiting.splice(0, this.#head);
        this.#head = 0;
      }
      this.#running += 1;
      verify(null, job.bytes, this.#key(job.publicKey), job.signature, (error, valid) => {
        this.#running -= 1;
        job.resolve(error === null && valid);
        this.#startNext();
      });
    }
  }

  #key(publicKey: string): KeyObject {
    const known = this.#keys.get(publicKey);
    if (known !== undefined) {
      // Inserted again, so that the first key in the map is the one that was used longest ago.
      this.#keys.delete(publicKey);
      this.#keys.set(publicKey, known);
      return known;
    }
    // OpenSSL takes ten times as long to find out what a key in DER is.
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey, 'hex').toString('base64url') };
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    if (this.#keys.size >= MAX_CACHED_KEYS) this.#keys.delete(this.#keys.keys().next().value!);
    this.#keys.set(publicKey, key);
    return key;
  }
}
