import type { Socket } from 'node:net';
import { Goal } from './goal.js';
import { cutAll, openSocket } from './sockets.js';
import type { OnEvents } from './subscribers.js';

const WINDOW = 128;
const LIMIT_MS = 60_000;
const LINE_END = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
const EVENT_END = Buffer.from('\n\n');
const EVENTS = 'event: events\n';
/** Of a snapshot, only the last part has an id. */
const SNAPSHOT_END = 'event: snapshot\nid: ';

/** A minimal reader of server-sent events. */
class RawEventReader {
  readonly index: number;
  readonly socket: Socket;
  readonly #pool: EventReaderPool;
  #rest: Buffer | null = null;
  #isOpen = false;

  constructor(
    { port, host, path }: { port: number; host: string; path: string },
    index: number,
    pool: EventReaderPool,
  ) {
    this.index = index;
    this.#pool = pool;
    this.socket = openSocket(
      { port, host, index },
      {
        connected: () => {
          this.socket.write(
            `GET ${path} HTTP/1.1\r\nHost: ${host}:${String(port)}\r\nAccept: text/event-stream\r\n\r\n`,
          );
        },
        bytes: (bytes) => this.#receive(bytes),
        closed: (reason) => pool.fail(reason),
      },
    );
  }

  /** The hub writes events as chunks, each of whole events. */
  #receive(bytes: Buffer): void {
    const data = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = null;
    let at = this.#isOpen ? 0 : this.#readHead(data);
    while (this.#isOpen && at < data.length) {
      const lineEnd = data.indexOf(LINE_END, at);
      if (lineEnd < 0) break;
      const start = lineEnd + LINE_END.length;
      // The end of a chunk may arrive with the next one.
      if (lineEnd === at) {
        at = start;
        continue;
      }
      const end = start + Number.parseInt(data.toString('latin1', at, lineEnd), 16);
      if (data.length < end) break;
      this.#chunk(data, start, end);
      at = end;
    }
    if (at < data.length) this.#rest = Buffer.from(data.subarray(at));
  }

  /** Where the chunks begin; 0 while the head is not complete. */
  #readHead(data: Buffer): number {
    const end = data.indexOf(HEAD_END);
    if (end < 0) return 0;
    const head = data.toString('latin1', 0, end);
    if (!head.startsWith('HTTP/1.1 200 ') || !/^transfer-encoding: chunked$/im.test(head)) {
      this.#pool.fail(`a reader was answered with: ${head.slice(0, 60)}`);
    }
    this.#isOpen = true;
    return end + HEAD_END.length;
  }

  #chunk(data: Buffer, start: number, end: number): void {
    for (let at = start; at < end;) {
      const eventEnd = data.indexOf(EVENT_END, at) + EVENT_END.length;
      this.#event(data, at, eventEnd);
      at = eventEnd;
    }
  }

  #event(data: Buffer, start: number, end: number): void {
    const name = data.toString('latin1', start, Math.min(end, start + SNAPSHOT_END.length));
    if (name.startsWith(EVENTS)) this.#pool.onEvents(this.index, data, start, end);
    else if (name === SNAPSHOT_END) this.#pool.ready();
    else if (name.startsWith('event: error')) this.#pool.fail(data.toString('utf8', start, end));
  }
}

/** Many readers of server-sent events of one stream. */
export class EventReaderPool {
  onEvents: OnEvents = () => undefined;
  readonly sockets: RawEventReader[] = [];
  readonly #address: { port: number; host: string; path: string };
  #goal = new Goal(0, '');
  #next: () => void = () => undefined;

  /** @param address.path With the filter. */
  constructor(address: { port: number; host: string; path: string }) {
    this.#address = address;
  }

  /** Opens `count` readers, and waits until each is in sync. */
  async open(count: number): Promise<void> {
    let next = 0;
    this.#goal = new Goal(count, 'readers were brought to the present');
    this.#next = () => {
      if (next === count) return;
      this.sockets[next] = new RawEventReader(this.#address, next, this);
      next += 1;
    };
    for (let i = 0; i < WINDOW; i += 1) this.#next();
    await this.#goal.wait(LIMIT_MS);
  }

  async close(): Promise<void> {
    this.fail = () => undefined;
    await cutAll(this.sockets.map(({ socket }) => socket));
  }

  /** A reader is in sync. */
  ready(): void {
    this.#goal.add();
    this.#next();
  }

  /** A reader failed. */
  fail: (reason: string) => void = (reason) => {
    this.#goal.fail(`a reader of events: ${reason}`);
  };
}
