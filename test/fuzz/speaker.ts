import type { Action, TestKey } from '../support/data/keys.js';
import type { Frame } from '../support/clients/test-socket.js';

/** Who sends the frames and requests of one line of a scenario: an identity that no other line has. */
export class Speaker {
  readonly key: TestKey;
  /** Its provider id: the key itself, or a name. */
  readonly id: string;
  readonly host: string;
  /** The nonce of its present connection. */
  nonce = '';
  /** Streams that its present connection was told of, the latest last. */
  streams: string[] = [];
  /** A cursor that it was given, on whatever connection. */
  cursor: string | null = null;
  #lastT = 0;

  constructor(key: TestKey, id: string, host: string) {
    this.key = key;
    this.id = id;
    this.host = host;
  }

  /** A signing time later than every one before. */
  nextT(): number {
    this.#lastT = Math.max(this.#lastT + 1, Date.now());
    return this.#lastT;
  }

  sign(action: Action, t: number, payload: string): string {
    return this.key.sign(action, this.id, t, payload);
  }

  /** The two headers of a signed request. */
  headers(action: Action, payload: string | Uint8Array): Record<string, string> {
    return this.key.headers(action, this.id, this.nextT(), payload);
  }

  /** @param signed False for one whose signature is none. */
  authenticateFrame(signed: boolean): Frame {
    const t = this.nextT();
    const signature = signed ? this.sign('session', t, `${this.nonce}\n${this.host}`) : 'ab'.repeat(64);
    return {
      type: 'authenticate',
      id: 'who',
      provider_id: this.id,
      public_key: this.key.publicKey,
      t,
      signature,
    };
  }
}
