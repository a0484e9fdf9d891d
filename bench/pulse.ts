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

/** How often what a hub knows is to change, each a second. */
export interface Changes {
  /** Only a time changes. */
  heartbeats: number;
  /** Something that a list shows changes. */
  updates: number;
}

/** So many that hardly an answer can be given twice, whatever the size. */
const MANY_CHANGES: Changes = { heartbeats: 1000, updates: 300 };
/** The updates of one provider wait for each other. */
const MANY_PROVIDERS = 16;
/** What a reader of a figure that was measured with them has to know. */
export const MANY_CHANGES_NOTE = 'with 1,000 heartbeats/s and 300 updates/s on both sides';

/**
 * One provider whose heartbeats and updates stand for those of all the others, so that what the hub knows changes as
 * often as it would: without them every list could be answered with what was answered before. It is too small for any
 * filter.
 */
export class Pulse implements FrameHandler {
  readonly #key = new SigningKey();
  readonly #host: string;
  readonly #perSecond: Changes;
  readonly #socket: RawWebSocket;
  readonly #ready: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #dueHeartbeats = 0;
  #dueUpdates = 0;
  #updates = 0;
  #problem: Error | null = null;
  #lastT = 0;

  private constructor(hub: Hub, perSecond: Changes) {
    this.#host = hub.host;
    this.#perSecond = perSecond;
    this.#ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#socket = new RawWebSocket({ port: hub.port, host: '127.0.0.1', path: '/api/v1/ws' }, 0, this);
  }

  /** Resolves when the provider is there; changes come once they are asked for. */
  static async open(bench: Bench, hub: Hub, perSecond: Changes): Promise<Pulse> {
    const pulse = new Pulse(hub, perSecond);
    bench.own({
      kill: () => {
        pulse.pause();
        pulse.#socket.cut();
      },
    });
    await pulse.#ready;
    return pulse;
  }

  /** Has so much change that hardly an answer can be given twice. */
  static openMany(bench: Bench, hub: Hub): Promise<Pulse[]> {
    const { heartbeats, updates } = MANY_CHANGES;
    const share = { heartbeats: heartbeats / MANY_PROVIDERS, updates: updates / MANY_PROVIDERS };
    return Promise.all(Array.from({ length: MANY_PROVIDERS }, () => Pulse.open(bench, hub, share)));
  }

  /** The id of the provider. */
  get id(): string {
    return this.#key.id;
  }

  /** Has the changes come from now on. */
  run(): void {
    const { heartbeats, updates } = this.#perSecond;
    this.#timer = setInterval(() => {
      this.#dueHeartbeats += (heartbeats * TICK_MS) / 1000;
      for (; this.#dueHeartbeats >= 1; this.#dueHeartbeats -= 1) this.#socket.send(HEARTBEAT);
      this.#dueUpdates += (updates * TICK_MS) / 1000;
      for (; this.#dueUpdates >= 1; this.#dueUpdates -= 1) this.#advertise();
    }, TICK_MS);
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  /** Throws WrongAnswerError when the changes have not come all the time. */
  close(): void {
    this.pause();
    this.#socket.cut();
    if (this.#problem !== null) throw this.#problem;
  }

  opened(): void {
    // The hub speaks first.
  }

  message(socket: RawWebSocket, bytes: Buffer, start: number, end: number): void {
    const answer = JSON.parse(bytes.toString('utf8', start, end)) as Answer;
    if (answer.type === 'welcome') {
      const t = Date.now();
      const signature = this.#sign('session', t, sessionPayload(answer.nonce ?? '', this.#host));
      socket.send(this.#frame({ type: 'authenticate', provider_id: this.#key.id, t, signature }));
    } else if (answer.type === 'authenticated') {
      this.#advertise();
    } else if (answer.type === 'advertised') {
      this.#resolve();
    } else if (answer.type !== 'heartbeat') {
      this.#fail(`a session was answered with ${answer.message ?? answer.type}`);
    }
  }

  closed(_: RawWebSocket, reason: string): void {
    this.#fail(`a session was ${reason}`);
  }

  #fail(message: string): void {
    this.#problem ??= new WrongAnswerError(message);
    this.#reject(this.#problem);
  }

  #advertise(): void {
    this.#updates += 1;
    // Later than the one before, also within a millisecond.
    this.#lastT = Math.max(Date.now(), this.#lastT + 1);
    const name = `update-${String(this.#updates).padStart(6, '0')}`;
    const payload = payloadOf({ ...providerAt(0), cpu: 1, memory: 1, storage: 1, name });
    const signature = this.#sign('advertise', this.#lastT, payload);
    this.#socket.send(this.#frame({ type: 'advertise', payload, t: this.#lastT, signature }));
  }

  #sign(action: 'session' | 'advertise', t: number, payload: string): string {
    return this.#key.sign(action, t, payload).signature.toString('hex');
  }

  #frame(frame: object): Buffer {
    return clientFrame(JSON.stringify({ id: 1, ...frame }));
  }
}
