import type { HttpRequest, HttpResponse } from '../../protocol/http-message.js';
import type { AdmissionLimits } from './admission.js';
import type { Certificate, TlsFiles } from './tls.js';

/**
 * The port between the hub and a socket library. The hub never sees more of a library than this; an adapter
 * lives in `transports/`. All byte arrays handed to callbacks are only borrowed: they are copied or decoded
 * before the callback returns.
 */

export type { HttpRequest, HttpResponse } from '../../protocol/http-message.js';

/** `sent`: handed to the system. `queued`: kept until `emptied`. `dropped`: not accepted, the connection is lost. */
export type SendResult = 'sent' | 'queued' | 'dropped';

/** One open WebSocket, as the hub sees it. Calls after the close are ignored. */
export interface Socket {
  /** The peer, as text. */
  readonly peerAddress: string;
  /** Bytes handed over that the system has not taken yet. */
  readonly bufferedAmount: number;
  /** The bytes are the transport's from here on: they may still be read later, so they must not change. */
  send(bytes: Uint8Array, binary: boolean): SendResult;
  ping(): void;
  /**
   * Sends a close frame after what is queued; a peer that does not take it within seconds is cut. Nothing but
   * `closed` is called after this, with the same code, and never from within.
   */
  close(code: number, reason: string): void;
  /** Cuts the connection without a close frame. */
  terminate(): void;
}

/** What the hub does with one open WebSocket. */
export interface SocketHandler {
  /** A whole message; over-long ones come with at least one byte more than the limit. */
  message(bytes: Uint8Array, binary: boolean): void;
  /** A ping arrived, and was answered. */
  pinged(): void;
  /** A pong arrived, asked for or not. */
  ponged(): void;
  /** After `queued`, once: all that waited has been taken by the system. */
  emptied(): void;
  /** Called exactly once. */
  closed(code: number): void;
}

/** The answer to a WebSocket handshake. */
export type UpgradeDecision =
  | { accept: true; subprotocol: string; open: (socket: Socket) => SocketHandler }
  | { accept: false; response: HttpResponse };

/** What the hub offers to a transport. */
export interface TransportHandler {
  /**
   * Never rejects. A transport may fetch `headers` and `peerAddress` only when they are asked for. So a handler
   * that answers at once asks before it returns; one that returns a promise may ask whenever it likes. The
   * request is passed on as it is: a copy by `...` would lack both.
   */
  request(request: HttpRequest): HttpResponse | Promise<HttpResponse>;
  /** A well-formed handshake on the WebSocket path. Never rejects. */
  upgrade(request: HttpRequest): UpgradeDecision | Promise<UpgradeDecision>;
  /** The client address that a peer counts as at the door; null for a proxy, which stands for many. */
  clientOf(peerAddress: string): string | null;
  /** The answer to a request that the transport itself cannot take (e.g. a body over the limit). */
  refuse(status: 400 | 413, message: string): HttpResponse;
}

export interface TransportOptions extends AdmissionLimits {
  /** The path whose handshakes are upgraded. */
  websocketPath: string;
  /** Bytes of a request body; more is answered through `refuse(413)`. */
  maxBodyBytes: number;
  /** Bytes of a message; ones that are a little longer are still delivered, so that the hub can close with 1009. */
  maxMessageBytes: number;
  /** Null for plain connections. */
  tls: TlsFiles | null;
}

/** A running listener. */
export interface Transport {
  readonly name: 'uws' | 'node';
  /** The port that is listened on. */
  readonly port: number;
  /** Connections that were closed the moment they came, because there were too many, in all or of their address. */
  readonly refused: number;
  /**
   * Reads the TLS files again. Handshakes from now on get that certificate; what is open stays as it is.
   * @throws TlsError when they cannot be used, or there are none; everything stays as it was.
   */
  renewCertificate(): Certificate;
  /** Stops taking new connections; those that are open live on. */
  stopListening(): void;
  /** Cuts all connections. Resolves when each has been told that it is `closed`. */
  close(): Promise<void>;
}

/** Starts to listen. Rejects with a message that names the address when it cannot. */
export type StartTransport = (
  address: { host: string; port: number },
  options: TransportOptions,
  handler: TransportHandler,
) => Promise<Transport>;
