import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { cutAll, openSocket } from '../load/sockets.js';
import { clientFrame, RawWebSocket } from '../load/web-socket.js';

/** How long an attacked hub may take to refuse, in milliseconds. */
const PATIENCE_MS = 10_000;

/** The hub did not treat such a client as documented. */
export class BoundError extends Error {
  override readonly name = 'BoundError';
}

/** An attacker at one address, which records how the hub responds. */
export class Attacker {
  readonly port: number;
  readonly #from: string;
  readonly #until: number;
  readonly #sockets: Socket[] = [];
  /** Connections that the hub has closed. */
  closed = 0;
  /** Bytes that it received. */
  received = 0;
  /** Counts of responses, by HTTP status, error code or close code. */
  readonly told = new Map<string, number>();

  constructor(port: number, from: string, seconds: number) {
    this.port = port;
    this.#from = from;
    this.#until = performance.now() + seconds * 1000;
  }

  /** Whether it has time left. */
  get goesOn(): boolean {
    return performance.now() < this.#until;
  }

  /** Repeats something until the time is up. */
  async repeat(everyMs: number, act: () => void): Promise<void> {
    while (this.goesOn) {
      act();
      await pause(everyMs);
    }
  }

  /** A raw connection. */
  open(bytes: Uint8Array | string = '', { reads = true } = {}): Socket {
    const socket: Socket = openSocket(
      { port: this.port, host: '127.0.0.1', index: 0, from: this.#from },
      {
        connected: () => {
          if (!reads) socket.pause();
          if (bytes.length > 0) socket.write(bytes);
        },
        bytes: (data) => {
          this.received += data.length;
          for (const [, status] of data.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3}) /g))
            this.#note(status!);
        },
        closed: () => (this.closed += 1),
      },
    );
    this.#sockets.push(socket);
    return socket;
  }

  /**
   * A WebSocket that sends frames once it has received the welcome.
   * @param options.onFrame Receives each frame.
   */
  webSocket(
    frames: readonly Uint8Array[],
    {
      reads = true,
      onFrame = (): void => undefined,
    }: { reads?: boolean; onFrame?: (frame: Frame) => void } = {},
  ): RawWebSocket {
    const socket = new RawWebSocket(
      { port: this.port, host: '127.0.0.1', path: '/api/v1/ws', from: this.#from },
      0,
      {
        opened: (opened) => {
          if (!reads) opened.socket.pause();
          for (const frame of frames) opened.send(frame);
        },
        message: (_, bytes, start, end) => {
          this.received += end - start;
          const frame = JSON.parse(bytes.toString('utf8', start, end)) as Frame;
          if (frame.type === 'error') this.#note(frame.code ?? 'error');
          onFrame(frame);
        },
        closed: (_, reason) => {
          this.closed += 1;
          this.#note(/^closed with (\d+)/.exec(reason)?.[1] ?? 'broken');
        },
      },
    );
    this.#sockets.push(socket.socket);
    return socket;
  }

  /** Waits for one of these responses; throws if none comes in time. */
  async expect(...wanted: readonly string[]): Promise<void> {
    if (await this.#comes(() => wanted.some((word) => this.told.has(word)))) return;
    const told = [...this.told].map(([word, times]) => `${word} × ${String(times)}`).join(', ');
    throw new BoundError(`expected ${wanted.join(' or ')}, was told ${told === '' ? 'nothing' : told}`);
  }

  /** Waits until the hub has closed this many of its connections; throws if it does not in time. */
  async expectClosed(count: number): Promise<void> {
    if (await this.#comes(() => this.closed >= count)) return;
    throw new BoundError(`only ${String(this.closed)} connections were closed, not ${String(count)}`);
  }

  async #comes(isTrue: () => boolean): Promise<boolean> {
    const until = performance.now() + PATIENCE_MS;
    while (!isTrue()) {
      if (performance.now() > until) return false;
      await pause(20);
    }
    return true;
  }

  /** Cuts everything that is open. */
  end(): Promise<void> {
    return cutAll(this.#sockets);
  }

  #note(word: string): void {
    this.told.set(word, (this.told.get(word) ?? 0) + 1);
  }
}

/** The part of a frame that attackers look at. */
export interface Frame {
  type: string;
  code?: string;
  cursor?: string | null;
}

/** A request frame, ready to send. */
export function jsonFrame(frame: object): Buffer {
  return clientFrame(JSON.stringify(frame));
}
