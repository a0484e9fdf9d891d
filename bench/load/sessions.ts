import { payloadOf, type Provider, providerAt } from '../data/providers.js';
import { sessionPayload } from '../../src/protocol/signing.js';
import { WrongAnswerError } from '../part.js';
import { startTiming, type Timing } from './gauge.js';
import { Goal } from './goal.js';
import { SigningKey } from './keys.js';
import { cutAll } from './sockets.js';
import { clientFrame, type FrameHandler, RawWebSocket } from './web-socket.js';

/** How many connections to open at a time. */
const WINDOW = 128;
/** How many advertisements may be unanswered at a time, over all sessions. */
const ADVERTISING = 256;
const LIMIT_MS = 60_000;

interface Answer {
  type: string;
  nonce?: string;
  provider_id?: string;
  message?: string;
  advertisement?: { provider_id: string; name: string | null } | null;
}

/** Sessions of providers that stay open until the pool is closed. */
export class SessionPool implements FrameHandler {
  readonly #address: { port: number; host: string; path: string };
  readonly #keys: SigningKey[] = [];
  readonly #sockets: RawWebSocket[] = [];
  #goal = new Goal(0, '');
  #next: () => void = () => undefined;

  constructor(port: number, host: string) {
    this.#address = { port, host, path: '/api/v1/ws' };
  }

  /** Makes keys in advance for this many sessions, so that the hub is not charged for the time. */
  prepare(total: number): void {
    while (this.#keys.length < total) this.#keys.push(new SigningKey());
  }

  /** Opens sessions until there are `count`: connects, and signs the hub's nonce. */
  async openUpTo(total: number): Promise<Timing> {
    const from = this.#sockets.length;
    this.#goal = new Goal(total - from, 'sessions were admitted');
    let next = from;
    this.#next = () => {
      if (next === total) return;
      this.#sockets[next] = new RawWebSocket(this.#address, next, this);
      next += 1;
    };
    const stop = startTiming();
    for (let i = 0; i < WINDOW; i += 1) this.#next();
    await this.#goal.wait(LIMIT_MS);
    return stop();
  }

  /** Advertises the provider of every session from this one on. */
  async advertiseFrom(first: number): Promise<Timing & { jsonBytes: number }> {
    const stop = startTiming();
    let next = first;
    this.#goal = new Goal(this.#sockets.length - first, 'advertisements were accepted');
    this.#next = () => {
      if (next === this.#sockets.length) return;
      this.#sockets[next]!.send(this.updateFrame(next, providerAt(next), 0));
      next += 1;
    };
    this.#jsonBytes = 0;
    for (let i = 0; i < ADVERTISING; i += 1) this.#next();
    const count = this.#sockets.length - first;
    await this.#goal.wait(LIMIT_MS);
    return { ...stop(), jsonBytes: this.#jsonBytes / count };
  }

  #jsonBytes = 0;

  get size(): number {
    return this.#sockets.length;
  }

  /** A signed advertisement of a session's provider, ready to send; `later` (ms) makes it newer than others. */
  updateFrame(index: number, provider: Provider, later: number): Buffer {
    const t = Date.now() + later;
    const payload = payloadOf(provider);
    const signature = this.#keys[index]!.sign('advertise', t, payload).signature.toString('hex');
    return clientFrame(JSON.stringify({ type: 'advertise', id: index, payload, t, signature }));
  }

  /** Sends prepared frames over sessions, and expects an `advertised` for each. */
  beginUpdates(count: number): { send: (index: number, frame: Uint8Array) => void; answered: Goal } {
    this.#goal = new Goal(count, 'updates were accepted');
    this.#next = () => undefined;
    return { send: (index, frame) => this.#sockets[index]!.send(frame), answered: this.#goal };
  }

  async close(): Promise<void> {
    for (const { socket } of this.#sockets) socket.removeAllListeners('close');
    await cutAll(this.#sockets.map(({ socket }) => socket));
  }

  opened(): void {
    // The hub sends the first frame.
  }

  message(socket: RawWebSocket, bytes: Buffer, start: number, end: number): void {
    const { index } = socket;
    const answer = JSON.parse(bytes.toString('utf8', start, end)) as Answer;
    const { id } = this.#keys[index]!;
    if (answer.type === 'welcome') {
      const { host, port } = this.#address;
      const t = Date.now();
      const payload = sessionPayload(answer.nonce ?? '', `${host}:${String(port)}`);
      const signature = this.#keys[index]!.sign('session', t, payload).signature.toString('hex');
      socket.send(
        clientFrame(JSON.stringify({ type: 'authenticate', id: index, provider_id: id, t, signature })),
      );
    } else if (answer.type === 'authenticated' && answer.provider_id === id) {
      this.#done();
    } else if (answer.type === 'advertised' && answer.advertisement?.provider_id === id) {
      this.#jsonBytes += end - start - `{"type":"advertised","id":${String(index)},"advertisement":}`.length;
      this.#done();
    } else {
      this.#goal.fail(`a session was sent ${bytes.toString('utf8', start, Math.min(end, start + 300))}`);
    }
  }

  closed(_socket: RawWebSocket, reason: string): void {
    this.#goal.fail(`a session ended: ${reason}`);
  }

  #done(): void {
    this.#goal.add();
    this.#next();
  }
}

/** Idle connections. */
export class BareSockets implements FrameHandler {
  readonly #address: { port: number; host: string; path: string };
  readonly #sockets: RawWebSocket[] = [];
  #goal = new Goal(0, '');
  #next: () => void = () => undefined;

  constructor(port: number, host: string) {
    this.#address = { port, host, path: '/' };
  }

  /** Opens connections until there are `count`. */
  async openUpTo(total: number): Promise<Timing> {
    let next = this.#sockets.length;
    this.#goal = new Goal(total - next, 'handshakes were answered');
    this.#next = () => {
      if (next === total) return;
      this.#sockets[next] = new RawWebSocket(this.#address, next, this);
      next += 1;
    };
    const stop = startTiming();
    for (let i = 0; i < WINDOW; i += 1) this.#next();
    await this.#goal.wait(LIMIT_MS);
    return stop();
  }

  async close(): Promise<void> {
    await cutAll(this.#sockets.map(({ socket }) => socket));
  }

  opened(): void {
    this.#goal.add();
    this.#next();
  }

  message(): void {
    throw new WrongAnswerError('a bare socket was sent something');
  }

  closed(_socket: RawWebSocket, reason: string): void {
    this.#goal.fail(`a bare socket ended: ${reason}`);
  }
}
