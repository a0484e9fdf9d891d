import { sessionPayload } from '../src/protocol/signing.js';
import { payloadOf, providerAt } from './data/providers.js';
import type { Hub } from './hub.js';
import { SigningKey } from './load/keys.js';
import { clientFrame, type FrameHandler, RawWebSocket } from './load/web-socket.js';
import { type Bench, WrongAnswerError } from './part.js';

const TICK_MS = 2;
const HEARTBEAT = clientFrame('{"type":"heartbeat"}');

interface Answer {
  type: string;
  nonce?: string;
  message?: string;
}

/** How often the hub's state changes, per second. */
export interface Changes {
  /** Only a time changes. */
  heartbeats: number;
  /** Something that a list shows changes. */
  updates: number;
}

/** Frequent and regular enough that answers can hardly be reused, whatever the size. */
export const MANY_CHANGES: Changes = { heartbeats: 1000, updates: 300 };
/** The note for figures measured with them. */
export const MANY_CHANGES_NOTE = 'with 1,000 heartbeats/s and 300 updates/s on both sides';

/** Updates of one provider wait for each other. */
const UPDATES_A_PROVIDER = 20;

/**
 * A few providers whose heartbeats and updates stand for those of all, so that the hub's state changes as often as in real life: otherwise
 * every list could be answered from the cache. They are too small for any filter.
 */
export class Pulse {
  readonly #providers: readonly Provider[];
  readonly #perSecond: Changes;
  #timer: NodeJS.Timeout | undefined;

  private constructor(providers: readonly Provider[], perSecond: Changes) {
    this.#providers = providers;
    this.#perSecond = perSecond;
  }

  /** Resolves when the providers are advertised; changes begin with `run`. */
  static async open(bench: Bench, hub: Hub, perSecond: Changes): Promise<Pulse> {
    const count = Math.ceil(perSecond.updates / UPDATES_A_PROVIDER);
    const pulse = new Pulse(
      Array.from({ length: count }, () => new Provider(hub)),
      perSecond,
    );
    bench.own({
      kill: () => {
        pulse.#end();
      },
    });
    await Promise.all(pulse.#providers.map(({ ready }) => ready));
    return pulse;
  }

  /** The ids of the providers. */
  get ids(): ReadonlySet<string> {
    return new Set(this.#providers.map(({ id }) => id));
  }

  /** Starts the changes, at regular times. */
  run(): void {
    const from = performance.now();
    const done = { heartbeats: 0, updates: 0 };
    const due = (kind: keyof Changes): boolean =>
      done[kind] < ((performance.now() - from) / 1000) * this.#perSecond[kind];
    const next = (kind: keyof Changes): Provider => {
      done[kind] += 1;
      return this.#providers[done[kind] % this.#providers.length]!;
    };
    this.#timer = setInterval(() => {
      while (due('heartbeats')) next('heartbeats').heartbeat();
      while (due('updates')) next('updates').advertise();
    }, TICK_MS);
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  /** Throws WrongAnswerError if changes failed to come. */
  close(): void {
    this.#end();
    for (const { problem } of this.#providers) if (problem !== null) throw problem;
  }

  #end(): void {
    this.pause();
    for (const provider of this.#providers) provider.cut();
  }
}

class Provider implements FrameHandler {
  /** Resolves once it is advertised. */
  readonly ready: Promise<void>;
  problem: Error | null = null;
  readonly #key = new SigningKey();
  readonly #host: string;
  readonly #socket: RawWebSocket;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #updates = 0;
  #lastT = 0;

  constructor(hub: Hub) {
    this.#host = hub.host;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#socket = new RawWebSocket({ port: hub.port, host: '127.0.0.1', path: '/api/v1/ws' }, 0, this);
  }

  get id(): string {
    return this.#key.id;
  }

  heartbeat(): void {
    this.#socket.send(HEARTBEAT);
  }

  /** The same, with another name of equal length. */
  advertise(): void {
    this.#updates += 1;
    // Later than the one before, even within a millisecond.
    this.#lastT = Math.max(Date.now(), this.#lastT + 1);
    const name = `update-${String(this.#updates).padStart(6, '0')}`;
    const payload = payloadOf({ ...providerAt(0), cpu: 1, memory: 1, storage: 1, name });
    const signature = this.#sign('advertise', this.#lastT, payload);
    this.#send({ type: 'advertise', payload, t: this.#lastT, signature });
  }

  cut(): void {
    this.#socket.cut();
  }

  opened(): void {
    // The hub sends the first frame.
  }

  message(_: RawWebSocket, bytes: Buffer, start: number, end: number): void {
    const answer = JSON.parse(bytes.toString('utf8', start, end)) as Answer;
    if (answer.type === 'welcome') {
      const t = Date.now();
      const signature = this.#sign('session', t, sessionPayload(answer.nonce ?? '', this.#host));
      this.#send({ type: 'authenticate', provider_id: this.id, t, signature });
    } else if (answer.type === 'authenticated') {
      this.advertise();
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
    this.problem ??= new WrongAnswerError(message);
    this.#reject(this.problem);
  }

  #sign(action: 'session' | 'advertise', t: number, payload: string): string {
    return this.#key.sign(action, t, payload).signature.toString('hex');
  }

  #send(frame: object): void {
    this.#socket.send(clientFrame(JSON.stringify({ id: 1, ...frame })));
  }
}
