import { Goal } from './goal.js';
import { cutAll } from './sockets.js';
import { clientFrame, type FrameHandler, RawWebSocket } from './web-socket.js';

const WINDOW = 128;
const LIMIT_MS = 60_000;
const EVENTS = Buffer.from('{"type":"events"');
const BOOKMARK = Buffer.from('{"type":"bookmark"');

/** Receives every frame with events; the bytes are only borrowed. */
export type OnEvents = (subscriber: number, bytes: Buffer, start: number, end: number) => void;

function startsWith(bytes: Buffer, start: number, prefix: Buffer): boolean {
  return bytes.compare(prefix, 0, prefix.length, start, Math.min(bytes.length, start + prefix.length)) === 0;
}

/**
 * Many subscribers of a hub, or sockets to which a bare server publishes. With `filters`, each subscribes to one of them in turn; without, every
 * message counts as events.
 */
export class SubscriberPool implements FrameHandler {
  onEvents: OnEvents = () => undefined;
  readonly sockets: RawWebSocket[] = [];
  readonly #address: { port: number; host: string; path: string };
  readonly #subscriptions: Buffer[] | null;
  #goal = new Goal(0, '');
  #next: () => void = () => undefined;

  constructor(address: { port: number; host: string; path: string }, filters: readonly object[] | null) {
    this.#address = address;
    this.#subscriptions =
      filters?.map((filter) => clientFrame(JSON.stringify({ type: 'subscribe', id: 1, filter }))) ?? null;
  }

  /** Opens `count` subscribers, and waits until each is in sync. */
  async open(count: number): Promise<void> {
    let next = 0;
    this.#goal = new Goal(count, 'subscriptions were answered');
    this.#next = () => {
      if (next === count) return;
      this.sockets[next] = new RawWebSocket(this.#address, next, this);
      next += 1;
    };
    for (let i = 0; i < WINDOW; i += 1) this.#next();
    await this.#goal.wait(LIMIT_MS);
  }

  async close(): Promise<void> {
    await cutAll(this.sockets.map(({ socket }) => socket));
  }

  opened(socket: RawWebSocket): void {
    const subscriptions = this.#subscriptions;
    if (subscriptions === null) this.#ready();
    else socket.send(subscriptions[socket.index % subscriptions.length]!);
  }

  message(socket: RawWebSocket, bytes: Buffer, start: number, end: number): void {
    if (this.#subscriptions === null || startsWith(bytes, start, EVENTS)) {
      this.onEvents(socket.index, bytes, start, end);
      return;
    }
    if (startsWith(bytes, start, BOOKMARK)) return;
    const frame = JSON.parse(bytes.toString('utf8', start, end)) as { type: string; last?: boolean };
    if (frame.type === 'snapshot') {
      if (frame.last === true) this.#ready();
    } else if (frame.type !== 'welcome' && frame.type !== 'subscribed') {
      this.#goal.fail(`a subscriber was sent ${bytes.toString('utf8', start, Math.min(end, start + 300))}`);
    }
  }

  closed(_socket: RawWebSocket, reason: string): void {
    this.#goal.fail(`a subscriber was closed: ${reason}`);
    this.failure ??= reason;
  }

  /** Why the first lost connection broke; null while all are open. */
  failure: string | null = null;

  #ready(): void {
    this.#goal.add();
    this.#next();
  }
}
