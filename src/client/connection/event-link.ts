import type { Down } from '../../protocol/frames/frames-down.js';
import { DiscoveryError, explainFailure } from '../errors.js';
import { parse, refusal } from '../refusal.js';
import type { Scheduler } from '../scheduler.js';
import { EventParser } from './event-parser.js';

/** Milliseconds from the request to the first bytes; a buffering proxy lets none through. */
const FIRST_BYTES_MS = 10_000;
/** Milliseconds between two checks for silence; a hub sends something every 15 s. */
const LOOK_MS = 5000;
/** Silent checks after which the stream is given up. */
const LOST_AFTER_LOOKS = 8;
/** How many characters of a refusal are read. */
const MAX_REFUSAL_CHARACTERS = 64 * 1024;

export interface EventLinkOptions<Frame> {
  /** The full URL, with the query. */
  url: string;
  fetch: typeof globalThis.fetch;
  scheduler: Scheduler;
  /**
   * Parses the data of an event; null for unknown types.
   * @throws DiscoveryError if it is not what a hub sends.
   */
  read: (text: string) => Frame | null;
}

/** Receives a stream's events; none after `lost`, or once it is closed from this side. */
export interface EventLinkListener<Frame> {
  /**
   * The stream has started.
   * @param date When, by the hub's clock, as an HTTP date; null if not visible.
   */
  opened(date: string | null): void;
  frame(frame: Frame): void;
  /**
   * The stream has ended, or never started.
   * @param closeCode The code that the hub would have closed a WebSocket with; null if the stream broke or was given up on this side.
   */
  lost(error: DiscoveryError, closeCode: number | null): void;
}

/** One stream of server-sent events, from the request to its end; the counterpart of `Link` for WebSockets. */
export class EventLink<Frame extends { readonly type: string }> {
  readonly #options: EventLinkOptions<Frame>;
  readonly #listener: EventLinkListener<Frame>;
  readonly #giveUp = new AbortController();
  readonly #done: Promise<void>;
  #over = false;
  #isOpen = false;
  #silentLooks = 0;
  #cancelTimer: () => void;
  /** The reconnection delay that the stream asks for, in milliseconds. */
  #retryMs: number | null = null;

  constructor(options: EventLinkOptions<Frame>, listener: EventLinkListener<Frame>) {
    this.#options = options;
    this.#listener = listener;
    this.#cancelTimer = options.scheduler.after(FIRST_BYTES_MS, () => {
      const seconds = String(FIRST_BYTES_MS / 1000);
      this.drop(new DiscoveryError('TIMEOUT', `${this.#place} sent no events within ${seconds} s`));
    });
    this.#done = this.#read();
  }

  /** Gives up the stream as lost. */
  drop(error: DiscoveryError): void {
    this.#end(error, null);
    this.#giveUp.abort();
  }

  /** Stops reading. Resolves once the stream is closed. */
  close(): Promise<void> {
    this.#over = true;
    this.#cancelTimer();
    this.#giveUp.abort();
    return this.#done;
  }

  /** The URL without the query. */
  get #place(): string {
    return this.#options.url.replace(/\?.*$/s, '');
  }

  async #read(): Promise<void> {
    const { fetch, url } = this.#options;
    try {
      // Asynchronous, so that no callback comes before the caller has the link.
      await Promise.resolve();
      const response = await fetch(url, {
        headers: { Accept: 'text/event-stream' },
        signal: this.#giveUp.signal,
      });
      const type = response.headers.get('Content-Type') ?? '';
      if (response.status !== 200 || !/^text\/event-stream\b/i.test(type)) {
        const text = await this.#readRefusal(response);
        this.#end(refusal(response.status, response.headers, parse(text)), null);
        this.#giveUp.abort();
        return;
      }
      await this.#readEvents(response);
      this.#end(new DiscoveryError('NETWORK', 'the hub ended the stream', this.#pause), null);
    } catch (cause) {
      const text = `the connection to ${this.#place} failed: ${explainFailure(cause, url)}`;
      this.#end(new DiscoveryError('NETWORK', text, { cause, ...this.#pause }), null);
    }
  }

  /** The delay that the stream asks for, as an error option. */
  get #pause(): { retryAfterSeconds: number | null } {
    return { retryAfterSeconds: this.#retryMs === null ? null : this.#retryMs / 1000 };
  }

  async #readRefusal(response: Response): Promise<string> {
    let text = '';
    await this.#pieces(response, (piece) => {
      text += piece;
      return text.length < MAX_REFUSAL_CHARACTERS;
    });
    return text;
  }

  async #readEvents(response: Response): Promise<void> {
    const parser = new EventParser({
      data: (text) => {
        if (!this.#over) this.#take(text);
      },
      retry: (ms) => {
        this.#retryMs = ms;
      },
    });
    await this.#pieces(response, (piece) => {
      this.#heard(response);
      if (this.#over) return false;
      try {
        parser.push(piece);
      } catch (error) {
        this.drop(DiscoveryError.from(error, 'UNEXPECTED'));
      }
      return !this.#over;
    });
  }

  /** Yields the body as text, for as long as it is wanted. */
  async #pieces(response: Response, take: (piece: string) => boolean): Promise<void> {
    if (response.body === null) return;
    const decoder = new TextDecoder();
    const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || !take(decoder.decode(value, { stream: true }))) return;
    }
  }

  #heard(response: Response): void {
    this.#silentLooks = 0;
    if (this.#over || this.#isOpen) return;
    this.#isOpen = true;
    this.#cancelTimer();
    this.#lookLater();
    this.#listener.opened(response.headers.get('Date'));
  }

  #take(text: string): void {
    const frame = this.#options.read(text);
    if (frame === null) return;
    const closeCode = isError(frame) ? /^WS_(4\d{3})$/.exec(frame.code)?.[1] : undefined;
    if (!isError(frame) || closeCode === undefined) {
      this.#listener.frame(frame);
      return;
    }
    // Carries the reason for which a WebSocket would have been closed.
    const said = `the hub ended the stream with ${closeCode}: ${frame.message}`;
    const options = { closeCode: Number(closeCode), ...this.#pause };
    this.#end(new DiscoveryError('NETWORK', said, options), Number(closeCode));
    this.#giveUp.abort();
  }

  /** Checks periodically for silence. It counts checks, not time: see `Link`. */
  #lookLater(): void {
    this.#cancelTimer = this.#options.scheduler.after(LOOK_MS, () => {
      this.#silentLooks += 1;
      if (this.#silentLooks < LOST_AFTER_LOOKS) {
        this.#lookLater();
        return;
      }
      const seconds = String((LOOK_MS * LOST_AFTER_LOOKS) / 1000);
      this.drop(new DiscoveryError('TIMEOUT', `the hub was silent for ${seconds} s`, this.#pause));
    });
  }

  #end(error: DiscoveryError, closeCode: number | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTimer();
    this.#listener.lost(error, closeCode);
  }
}

function isError(frame: { readonly type: string }): frame is Down<'error'> {
  return frame.type === 'error';
}
