import type { HubProcess } from '../process/hub-process.js';
import { TestKey } from '../support/data/keys.js';
import { ADVERTISEMENT } from '../support/hubs/test-hub.js';

/** How a write was refused. */
export interface Refusal {
  status: number;
  code: string;
  retryAfter: string | null;
}

/** A provider that posts its advertisement, each time under the next number as its name. */
export class RestWriter {
  readonly key = new TestKey();
  /** The number that the hub acknowledged last. */
  acknowledged = 0;
  #t = 0;

  /** Posts until it is refused. */
  async run(hub: HubProcess): Promise<Refusal> {
    for (;;) {
      const refusal = await this.post(hub);
      if (refusal !== null) return refusal;
    }
  }

  /** Posts once. @returns Null when it was acknowledged. */
  async post(hub: HubProcess, changes: object = {}): Promise<Refusal | null> {
    const body = JSON.stringify({ ...ADVERTISEMENT, ...changes, name: String(this.acknowledged + 1) });
    this.#t = Math.max(this.#t + 1, Date.now());
    const response = await fetch(`${hub.url}/api/v1/advertisements`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...this.key.headers('advertise', this.key.publicKey, this.#t, body),
      },
      body,
    });
    const answer = (await response.json()) as { code: string };
    if (response.status === 200) {
      this.acknowledged += 1;
      return null;
    }
    return { status: response.status, code: answer.code, retryAfter: response.headers.get('retry-after') };
  }
}
