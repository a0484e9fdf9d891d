import { sessionPayload } from '../src/protocol/signing.js';
import { payloadOf, providerAt } from './data/providers.js';
import type { Hub } from './hub.js';
import { SigningKey } from './load/keys.js';
import { clientFrame, type FrameHandler, RawWebSocket } from './load/web-socket.js';
import { type Bench, WrongAnswerError } from './part.js';

const TICK_MS = 10;
const HEARTBEAT = clientFrame('{"type":"heartbeat"}');

interface Answer {
  type: string;
  nonce?: string;
  message?: string;
}

/**
 * One provider whose heartbeats stand for those of all the others, so that what the hub knows changes as often as it
 * would: without them every list could be answered with what was answered before. It is too small for any filter.
 */
export class Pulse implements FrameHandler {
  readonly #key = new SigningKey();
  readonly #host: string;
  readonly #socket: RawWebSocket;
  readonly #ready: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;

  private constructor(hub: Hub) {
    this.#host = hub.host;
    this.#ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#socket = new RawWebSocket({ port: hub.port, host: '127.0.0.1', path: '/api/v1/ws' }, 0, this);
  }

  /** Resolves when heartbeats come, so many a second. */
  static async start(bench: Bench, hub: Hub, perSecond: number): Promise<Pulse> {
    const pulse = new Pulse(hub);
    bench.own({
      kill: () => {
        pulse.stop();
      },
    });
    await pulse.#ready;
    pulse.#timer = setInterval(() => {
      for (pulse.#due += (perSecond * TICK_MS) / 1000; pulse.#due >= 1; pulse.#due -= 1) {
        pulse.#socket.send(HEARTBEAT);
      }
    }, TICK_MS);
    return pulse;
  }

  /** The id of the provider. */
  get id(): string {
    return this.#key.id;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#socket.cut();
  }

  opened(): void {
    // The hub speaks first.
  }

  message(socket: RawWebSocket, bytes: Buffer, start: number, end: number): void {
    const answer = JSON.parse(bytes.toString('utf8', start, end)) as Answer;
    const t = Date.now();
    if (answer.type === 'welcome') {
      const signature = this.#sign('session', t, sessionPayload(answer.nonce ?? '', this.#host));
      socket.send(this.#frame({ type: 'authenticate', provider_id: this.#key.id, t, signature }));
    } else if (answer.type === 'authenticated') {
      const payload = payloadOf({ ...providerAt(0), cpu: 1, memory: 1, storage: 1 });
      const signature = this.#sign('advertise', t, payload);
      socket.send(this.#frame({ type: 'advertise', payload, t, signature }));
    } else if (answer.type === 'advertised') {
      this.#resolve();
    } else if (answer.type !== 'heartbeat') {
      this.#reject(new WrongAnswerError(`a session was answered with ${answer.message ?? answer.type}`));
    }
  }

  closed(_: RawWebSocket, reason: string): void {
    this.#reject(new WrongAnswerError(`a session was ${reason}`));
  }

  #sign(action: 'session' | 'advertise', t: number, payload: string): string {
    return this.#key.sign(action, t, payload).signature.toString('hex');
  }

  #frame(frame: object): Buffer {
    return clientFrame(JSON.stringify({ id: 1, ...frame }));
  }
}
