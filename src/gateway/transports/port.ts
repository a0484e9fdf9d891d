import type { HttpRequest, HttpResponse } from '../../protocol/http-message.js';
import type { AdmissionLimits } from './admission.js';
import type { Certificate, TlsFiles } from './tls.js';

/**
 * The port between the hub and a socket library, of which the hub sees nothing else; adapters are in `transports/`. Byte arrays passed to
 * callbacks are only borrowed: copy or decode them before the callback returns.
 */

export type { HttpRequest, HttpResponse } from '../../protocol/http-message.js';

/** `sent`: passed to the operating system. `queued`: kept until `emptied`. `dropped`: not accepted; the connection is lost. */
export type SendResult = 'sent' | 'queued' | 'dropped';

/** An open WebSocket, as the hub sees it. Calls after the close are ignored. */
export interface Socket {
  /** The peer's address, as text. */
  readonly peerAddress: string;
  /** Bytes sent that the operating system has not taken yet. */
  readonly bufferedAmount: number;
  /** Sends a message. The transport may read the bytes later, so they must not change. */
  send(bytes: Uint8Array, binary: boolean): SendResult;
  ping(): void;
  /**
   * Sends a close frame behind whatever is queued; a peer that does not take it within seconds is cut. From then on only `closed` is
   * called, with the same code, and never during this call.
   */
  close(code: number, reason: string): void;
  /** Cuts the connection without a close frame. */
  terminate(): void;
}

/** The hub's handlers of one open WebSocket. */
export interface SocketHandler {
  /** A complete message. One that is too long arrives with at least one byte more than the limit. */
  message(bytes: Uint8Array, binary: boolean): void;
  /** A ping arrived and was answered. */
  pinged(): void;
  /** A pong arrived, solicited or not. */
  ponged(): void;
  /** Called once after `queued`, when the operating system has taken everything that waited. */
  emptied(): void;
  /** Called exactly once. */
  closed(code: number): void;
}

/** The response to a WebSocket handshake. */
export type UpgradeDecision =
  | { accept: true; subprotocol: string; open: (socket: Socket) => SocketHandler }
  | { accept: false; response: HttpResponse };

/** The hub's handlers of a transport. */
export interface TransportHandler {
  /**
   * Never rejects. A transport may fetch `headers` and `peerAddress` lazily: a handler that answers synchronously must read them before it
   * returns, one that returns a promise may read them at any time. Pass the request on as it is: a copy made with `...` lacks both.
   */
  request(request: HttpRequest): HttpResponse | Promise<HttpResponse>;
  /** A well-formed handshake on the WebSocket path. Never rejects. */
  upgrade(request: HttpRequest): UpgradeDecision | Promise<UpgradeDecision>;
  /** The client address that a peer counts as; null for a proxy, which stands for many. */
  clientOf(peerAddress: string): string | null;
  /** The response to a request that the transport itself rejects, e.g. a body over the limit. */
  refuse(status: 400 | 413, message: string): HttpResponse;
}

export interface TransportOptions extends AdmissionLimits {
  /** The path whose handshakes are upgraded. */
  websocketPath: string;
  /** The most bytes of a request body; a longer one is answered with `refuse(413)`. */
  maxBodyBytes: number;
  /** The most bytes of a message. Slightly longer ones are still delivered, so that the hub can close with 1009. */
  maxMessageBytes: number;
  /** Null for plain connections. */
  tls: TlsFiles | null;
}

/** A running listener. */
export interface Transport {
  readonly name: 'uws' | 'node';
  /** The port it listens on. */
  readonly port: number;
  /** Connections closed on arrival because there were too many, in total or of their address. */
  readonly refused: number;
  /**
   * Reloads the TLS files. New handshakes get the new certificate; open connections are unaffected.
   * @throws TlsError if the files cannot be used, or TLS is off; nothing changes then.
   */
  renewCertificate(): Certificate;
  /** Stops accepting connections; open ones stay. */
  stopListening(): void;
  /** Cuts all connections. Resolves when `closed` was called for each. */
  close(): Promise<void>;
}

/** Starts listening. If it cannot, rejects with a message that names the address. */
export type StartTransport = (
  address: { host: string; port: number },
  options: TransportOptions,
  handler: TransportHandler,
) => Promise<Transport>;
