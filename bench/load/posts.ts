import { writeFileSync } from 'node:fs';
import { serialize } from 'node:v8';
import { type Provider, payloadOf, providerAt } from '../data/providers.js';
import type { SignatureFile } from '../servers/verify.js';
import type { Timing } from './gauge.js';
import type { HttpAnswer } from './http-connection.js';
import { drive, type PreparedRequest } from './http-driver.js';
import { SigningKey } from './keys.js';

/** What to post, and by how many providers. */
export interface PostPlan {
  port: number;
  host: string;
  connections: number;
  providers: number;
  /** Posts per provider, each with a later `t` and other prices. */
  rounds: number;
  /** The file for the signatures, to verify them without a hub; null for none. */
  signatureFile: string | null;
}

/** How many signatures to hand over; they are reused. */
const MAX_HANDED_OVER = 4000;

/** Prepared posts, distributed over connections so that the posts of one provider stay in order. */
export class Posts {
  readonly #plan: PostPlan;
  readonly #queues: PreparedRequest[][];

  constructor(plan: PostPlan) {
    this.#plan = plan;
    this.#queues = Array.from({ length: plan.connections }, () => []);
    const keys = Array.from({ length: plan.providers }, () => new SigningKey());
    const handedOver: SignatureFile = { keys: keys.map(({ publicDer }) => publicDer), signed: [] };
    const t = Date.now();
    for (let round = 0; round < plan.rounds; round += 1) {
      keys.forEach((key, index) => {
        const provider = { ...providerAt(index), storage: 1000 + round };
        const { post, bytes, signature } = this.#prepare(provider, key, t + round);
        this.#queues[index % plan.connections]!.push(post);
        if (handedOver.signed.length < MAX_HANDED_OVER)
          handedOver.signed.push({ key: index, bytes, signature });
      });
    }
    for (const queue of this.#queues) queue.reverse();
    if (plan.signatureFile !== null) writeFileSync(plan.signatureFile, serialize(handedOver));
  }

  #prepare(
    provider: Provider,
    key: SigningKey,
    t: number,
  ): { post: PreparedRequest; bytes: Uint8Array; signature: Buffer } {
    const { port, host } = this.#plan;
    const payload = payloadOf(provider);
    const { bytes, signature } = key.sign('advertise', t, payload);
    const request =
      `POST /api/v1/advertisements HTTP/1.1\r\nHost: ${host}:${String(port)}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${String(Buffer.byteLength(payload))}\r\n` +
      `X-Provider-ID: ${key.id}\r\n` +
      `X-Provider-Signature: t=${String(t)},k=${key.id},v1=${signature.toString('hex')}\r\n\r\n${payload}`;
    const post: PreparedRequest = {
      bytes: Buffer.from(request),
      problemOf: (answer) => problemOf(key.id, provider.storage, answer),
    };
    return { post, bytes, signature };
  }

  /** Posts for some seconds, or until all are posted, and checks that every answer is the advertisement. Returns latencies in milliseconds. */
  async run(seconds: number): Promise<Timing & { requests: number; times: Float64Array }> {
    const times: number[] = [];
    const result = await drive(this.#plan, seconds, (connection) => this.#queues[connection]!.pop(), times);
    return { ...result, times: Float64Array.from(times) };
  }
}

function problemOf(id: string, storage: number, { status, body }: HttpAnswer): string | null {
  if (status === 429) return 'a post was answered with 429: turn the limit of requests off for this';
  const text = body.toString('utf8');
  if (status === 200 && text.includes(`"${id}"`) && text.includes(String(storage))) return null;
  return `a post was answered with ${String(status)}: ${text.slice(0, 200)}`;
}
