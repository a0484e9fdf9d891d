import { DiscoveryError } from '../errors.js';

/** How a socket ended. */
export interface SocketClosure {
  /** The close code; 1006 if there was none. */
  code: number;
  /** The reason that came with it; may be empty. */
  reason: string;
  /** Details beyond the code, e.g. why the hub refused the handshake. */
  error?: DiscoveryError;
}

/** Receives a socket's events; none after `closed`. */
export interface SocketListener {
  /** A whole message: text, or the bytes of a binary one. */
  message(data: string | Uint8Array): void;
  /** A ping arrived; browsers do not report pings. */
  alive(): void;
  /** Called exactly once, even if the socket never opened. */
  closed(closure: SocketClosure): void;
}

/** A WebSocket. Calls at the wrong moment are ignored. */
export interface ClientSocket {
  /** Sends one message: a text, or bytes as a binary one. */
  send(data: string | Uint8Array): void;
  /** Starts the closing handshake. */
  close(): void;
  /** Cuts the connection, as far as the platform allows. */
  terminate(): void;
}

/**
 * Opens a WebSocket, offering one subprotocol. Must not follow redirects, because a session is signed for the dialled host. Failures are
 * reported through `closed`.
 */
export type WebSocketFactory = (url: string, subprotocol: string, listener: SocketListener) => ClientSocket;

/** The part of the platform's `WebSocket` that is used. */
interface PlatformSocket {
  binaryType: string;
  readonly readyState: number;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}

type PlatformWebSocket = new (url: string, protocols: string[]) => PlatformSocket;

/** The close code where there was none. */
const NO_CODE = 1006;
const CONNECTING = 0;
const OPEN = 1;

/** Sockets of the platform itself: browsers, and servers that have `globalThis.WebSocket`. */
export const platformWebSocket: WebSocketFactory = (url, subprotocol, listener) => {
  const { WebSocket } = globalThis as { WebSocket?: PlatformWebSocket };
  if (WebSocket === undefined) {
    throw new DiscoveryError('USAGE', 'this platform has no WebSocket; pass one as the option webSocket');
  }
  const socket = new WebSocket(url, [subprotocol]);
  socket.binaryType = 'arraybuffer';
  let isOver = false;
  const end = (closure: SocketClosure): void => {
    if (isOver) return;
    isOver = true;
    listener.closed(closure);
  };
  socket.addEventListener('message', ({ data }) => {
    if (!isOver) listener.message(typeof data === 'string' ? data : new Uint8Array(data as ArrayBuffer));
  });
  socket.addEventListener('close', ({ code, reason }) => {
    end({ code, reason });
  });
  const close = (): void => {
    if (socket.readyState !== CONNECTING) return socket.close(1000);
    // Browsers write an error to their console when a socket is closed before it is open.
    socket.addEventListener('open', () => {
      socket.close(1000);
    });
    queueMicrotask(() => {
      end({ code: NO_CODE, reason: '' });
    });
  };
  return {
    send(data) {
      if (socket.readyState === OPEN) socket.send(data);
    },
    close,
    terminate: close,
  };
};

let defaultFactory = platformWebSocket;

/** Sets the default factory; called by entry points for platforms without `WebSocket`. */
export function setDefaultWebSocket(factory: WebSocketFactory): void {
  defaultFactory = factory;
}

export function defaultWebSocket(): WebSocketFactory {
  return defaultFactory;
}
