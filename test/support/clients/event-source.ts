import { type ClientRequest, type IncomingMessage, request as requestPlainly } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { TRUSTED } from './tls.js';
import type { Frame } from './test-socket.js';

/** One server-sent event, as it stands on the wire. */
export interface ServerSentEvent {
  /** Its name; empty for none. */
  name: string;
  /** Undefined where it has none. */
  id: string | undefined;
  data: string;
  /** What a browser would send as `Last-Event-ID` if the stream broke behind it. */
  lastEventId: string;
}

/** Options of a request. */
export interface EventSourceOptions {
  headers?: Record<string, string>;
  method?: string;
}

/** Longer than any answer of a hub in the same machine takes. */
const PATIENCE_MS = 15_000;

/**
 * Reads a stream of server-sent events as HTML says, down to its comments. It insists that the hub uses the one form that
 * it means to: lines that end with a line feed, one line of data.
 */
export class EventSourceReader {
  readonly response: IncomingMessage;
  /** What came and was not asked for yet. */
  readonly events: ServerSentEvent[] = [];
  #lastEventId = '';
  retryMs: number | null = null;
  comments = 0;
  /** Resolves when the stream is over: whether it ended properly. */
  readonly ended: Promise<boolean>;
  readonly #request: ClientRequest;
  #text = '';
  #isOver = false;
  #wake: (() => void) | null = null;

  private constructor(request: ClientRequest, response: IncomingMessage, lastEventId: string) {
    this.#request = request;
    this.#lastEventId = lastEventId;
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      this.#take(text);
      this.#wake?.();
    });
    response.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      response.on('close', () => {
        this.#isOver = true;
        this.#wake?.();
        resolve(response.complete);
      });
    });
  }

  /** Opens a stream; resolves with its head, whatever the status. */
  static open(
    url: string,
    { headers = {}, method = 'GET' }: EventSourceOptions = {},
  ): Promise<EventSourceReader> {
    const isSecure = url.startsWith('https:');
    const options = { method, agent: false as const, headers: { Accept: 'text/event-stream', ...headers } };
    const request = isSecure
      ? requestSecurely(url, { ...options, ca: TRUSTED, servername: 'localhost' })
      : requestPlainly(url, options);
    return new Promise((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => {
        resolve(new EventSourceReader(request, response, headers['Last-Event-ID'] ?? ''));
      });
      request.end();
    });
  }

  get status(): number {
    return this.response.statusCode ?? 0;
  }

  /** The next event that is a frame; its name has to be the frame's type, and its id the cursor. */
  async frame(): Promise<Frame> {
    for (;;) {
      const event = await this.next();
      if (event.data === '') continue;
      const frame = JSON.parse(event.data) as Frame;
      if (event.name !== frame['type']) throw new Error(`${event.name} has ${event.data}`);
      const cursor = (frame['cursor'] ?? undefined) as string | undefined;
      if (event.id !== cursor)
        throw new Error(`the id ${String(event.id)} is not the cursor of ${event.data}`);
      return frame;
    }
  }

  async next(): Promise<ServerSentEvent> {
    await this.until(() => this.events.length > 0, 'another event');
    return this.events.shift()!;
  }

  /** Waits until something holds, which more of the stream may bring about. */
  async until(holds: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!holds()) {
      if (this.#isOver) throw new Error(`the stream ended before ${what}`);
      if (Date.now() > deadline) throw new Error(`there never was ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PATIENCE_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** What a browser would send as `Last-Event-ID`. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** The whole body, of an answer that is no stream. */
  async text(): Promise<string> {
    await this.ended;
    return this.#text;
  }

  close(): void {
    this.#request.destroy();
  }

  #take(text: string): void {
    this.#text += text;
    if (!(this.response.headers['content-type'] ?? '').startsWith('text/event-stream')) return;
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      const lines = this.#text.slice(0, end).split('\n');
      this.#text = this.#text.slice(end + 2);
      this.#takeBlock(lines);
    }
  }

  #takeBlock(lines: readonly string[]): void {
    const event: ServerSentEvent = { name: '', id: undefined, data: '', lastEventId: '' };
    for (const line of lines) {
      const [, field, value] = /^([a-z]*):(?: (.*))?$/s.exec(line) ?? [];
      if (field === '') this.comments += 1;
      else if (field === 'retry') this.retryMs = Number(value);
      else if (field === 'event') event.name = value ?? '';
      else if (field === 'id') event.id = value ?? '';
      else if (field === 'data' && event.data === '') event.data = value ?? '';
      else throw new Error(`unexpected line ${JSON.stringify(line)}`);
    }
    if (event.id !== undefined) this.#lastEventId = event.id;
    event.lastEventId = this.#lastEventId;
    if (event.data !== '') this.events.push(event);
  }
}
