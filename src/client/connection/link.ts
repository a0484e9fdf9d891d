import type { CodecName } from '../../protocol/frames/codec.js';
import type { Down, DownFrame } from '../../protocol/frames/frames-down.js';
import type { UpFrame } from '../../protocol/frames/frames-up.js';
import { PROTOCOL_VERSION, SUBPROTOCOLS } from '../../protocol/limits.js';
import type { Scheduler } from '../scheduler.js';
import { DiscoveryError } from '../errors.js';
import { readFrame } from './frames.js';
import { encodeMsgpack } from './msgpack.js';
import type { ClientSocket, SocketClosure, WebSocketFactory } from './web-socket.js';

/** Milliseconds from dialling to the hub's welcome. */
const WELCOME_MS = 10_000;
/** Checks for silence per heartbeat interval. */
const LOOKS_PER_HEARTBEAT = 4;
/** Silent checks after which the hub is asked for a sign of life: a bit more than one interval. */
const ASK_AFTER_LOOKS = 5;
/** Silent checks after which it is given up: 2.5 intervals. */
const LOST_AFTER_LOOKS = 10;
/** Milliseconds that a closing handshake may take. */
const CLOSING_MS = 1000;

export interface LinkOptions {
  url: string;
  codec: CodecName;
  webSocket: WebSocketFactory;
  scheduler: Scheduler;
}

/** Receives a link's events; none after `lost`, or once it is closed from this side. */
export interface LinkListener {
  /** The hub's first frame. */
  welcome(frame: Down<'welcome'>): void;
  /** Any later frame. */
  frame(frame: DownFrame): void;
  /** The hub pinged, and was answered; browsers do not report pings. */
  heartbeat(): void;
  /**
   * The connection is gone.
   * @param closeCode The hub's close code; null if the connection broke or was given up on this side.
   */
  lost(error: DiscoveryError, closeCode: number | null): void;
}

/** One WebSocket to a hub, from dialling to its end: frames in, frames out, and detection of silence. */
export class Link {
  readonly #options: LinkOptions;
  readonly #listener: LinkListener;
  readonly #socket: ClientSocket | null;
  #over = false;
  #closed = false;
  #onClosed: (() => void) | null = null;
  #cancelTimer: () => void;
  #welcomed = false;
  #silentLooks = 0;
  /** Milliseconds between two checks; known from the welcome on. */
  #lookMs = 0;
  #lookDue = 0;

  constructor(options: LinkOptions, listener: LinkListener) {
    this.#options = options;
    this.#listener = listener;
    this.#cancelTimer = options.scheduler.after(WELCOME_MS, () => {
      const seconds = String(WELCOME_MS / 1000);
      this.drop(
        new DiscoveryError('TIMEOUT', `${options.url} did not greet a new connection within ${seconds} s`),
      );
    });
    this.#socket = this.#dial();
  }

  send(frame: UpFrame): void {
    if (this.#over) return;
    const binary = this.#options.codec === 'msgpack';
    this.#socket?.send(binary ? encodeMsgpack(frame) : JSON.stringify(frame));
  }

  /** Gives up the connection as lost. */
  drop(error: DiscoveryError): void {
    this.#end(error, null);
    this.#socket?.terminate();
  }

  /** Closes the connection cleanly. Resolves once it is closed. */
  close(): Promise<void> {
    this.#over = true;
    this.#cancelTimer();
    if (this.#closed || this.#socket === null) return Promise.resolve();
    const socket = this.#socket;
    return new Promise((resolve) => {
      const cancel = this.#options.scheduler.after(CLOSING_MS, () => {
        socket.terminate();
        resolve();
      });
      this.#onClosed = () => {
        cancel();
        resolve();
      };
      socket.close();
    });
  }

  #dial(): ClientSocket | null {
    const { webSocket, url, codec } = this.#options;
    try {
      return webSocket(url, SUBPROTOCOLS[codec], {
        message: (data) => {
          if (!this.#over) this.#read(data);
        },
        alive: () => {
          this.#silentLooks = 0;
          if (!this.#over) this.#listener.heartbeat();
        },
        closed: (closure) => {
          this.#closed = true;
          this.#onClosed?.();
          this.#end(explain(closure, url), closure.code);
        },
      });
    } catch (error) {
      queueMicrotask(() => {
        this.#end(DiscoveryError.from(error, 'NETWORK'), null);
      });
      return null;
    }
  }

  #read(data: string | Uint8Array): void {
    this.#silentLooks = 0;
    let frame: DownFrame | null;
    try {
      frame = readFrame(data);
    } catch (error) {
      this.drop(DiscoveryError.from(error, 'UNEXPECTED'));
      return;
    }
    if (frame === null) return;
    if (this.#welcomed) this.#listener.frame(frame);
    else if (frame.type === 'welcome') this.#welcome(frame);
    else this.drop(new DiscoveryError('UNEXPECTED', `the hub began with ${frame.type} instead of welcome`));
  }

  #welcome(frame: Down<'welcome'>): void {
    if (frame.version !== PROTOCOL_VERSION) {
      this.drop(
        new DiscoveryError(
          'UNEXPECTED',
          `the hub speaks version ${String(frame.version)} of the protocol, this client version ${String(PROTOCOL_VERSION)}`,
        ),
      );
      return;
    }
    this.#welcomed = true;
    this.#cancelTimer();
    this.#lookMs = (frame.heartbeat_seconds * 1000) / LOOKS_PER_HEARTBEAT;
    this.#lookLater();
    this.#listener.welcome(frame);
  }

  /**
   * Checks periodically for silence. It counts checks, not time, so that a process that was suspended does not blame the hub, but asks it for
   * a sign of life instead.
   */
  #lookLater(): void {
    const { scheduler } = this.#options;
    this.#lookDue = scheduler.now() + this.#lookMs;
    this.#cancelTimer = scheduler.after(this.#lookMs, () => {
      this.#silentLooks += 1;
      if (this.#silentLooks >= LOST_AFTER_LOOKS) {
        this.drop(new DiscoveryError('TIMEOUT', 'the hub was silent for 2.5 heartbeat intervals'));
        return;
      }
      const stoodStill = scheduler.now() - this.#lookDue > this.#lookMs;
      if (this.#silentLooks === ASK_AFTER_LOOKS || stoodStill) this.send({ type: 'heartbeat' });
      this.#lookLater();
    });
  }

  #end(error: DiscoveryError, closeCode: number | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTimer();
    this.#listener.lost(error, closeCode);
  }
}

function explain({ code, reason, error }: SocketClosure, url: string): DiscoveryError {
  if (error !== undefined) return error;
  if (code === 1006) {
    return new DiscoveryError('NETWORK', `the connection to ${url} failed or broke`, { closeCode: code });
  }
  const said = reason === '' ? '' : `: ${reason}`;
  return new DiscoveryError('NETWORK', `the hub closed the connection with ${String(code)}${said}`, {
    closeCode: code,
  });
}
