/** A plain HTTP request, received in full. */
export interface HttpRequest {
  /** Upper case. */
  method: string;
  /** Still percent-encoded, without the query. */
  path: string;
  /** Without `?`; empty if there is none. */
  search: string;
  /** By lower-case name; repeated headers are joined with ", ". */
  headers: ReadonlyMap<string, string>;
  body: Uint8Array;
  /** The socket's peer, as text. */
  peerAddress: string;
  /** Whether the client has gone while waiting for the response. */
  readonly isGone: boolean;
}

/** A body of known length that is produced in parts. */
export interface BodySource {
  /** The total length in bytes. */
  readonly bytes: number;
  /** Called once, before the first part is requested. @param cut Cuts the connection, to give up on its reader. */
  begin?(cut: () => void): void;
  /** The next part, which the caller may keep; null after the last. Throws if it is no longer available. */
  next(): Uint8Array | null;
  /** Must be called when no more parts will be requested, for whatever reason. */
  close(): void;
}

/**
 * The output of a streamed body: one response to one reader, until either side ends it. Calls after the end are ignored.
 */
export interface BodyStream {
  /** Bytes handed over that the system has not accepted yet, accurate to a few KiB. */
  readonly bufferedAmount: number;
  /**
   * The response head may be delayed until the first bytes. The transport keeps them, so they must not change afterwards.
   * @returns `sent`: handed to the system. `queued`: kept until `emptied`. `dropped`: the response is over.
   */
  send(bytes: Uint8Array): 'sent' | 'queued' | 'dropped';
  /** Ends the body cleanly, after what is queued; a reader that does not take it within seconds is cut. */
  end(): void;
  /** Cuts the connection, so that the reader knows that the body is incomplete. */
  terminate(): void;
}

/** The producer of a streamed body. */
export interface BodyStreamHandler {
  /** Called once after `queued`: the system has accepted everything that was waiting. */
  emptied(): void;
  /** Called a few times per second, for timed work. */
  tick?(): void;
  /** The response is over, whoever ended it. Called exactly once, never from within a call to the stream. */
  closed(): void;
}

/** A body of unknown length that is written as it is produced. Either `open` or `close` is called, once. */
export interface StreamedBody {
  /** A reader is there. */
  open(stream: BodyStream): BodyStreamHandler;
  /** There will be no reader: the request was HEAD, or the client has gone. */
  close(): void;
}

/**
 * A plain HTTP response. It is immutable, and may be sent to many clients. The transport adds `Content-Length` if the length is known; for
 * HEAD it sends only the headers.
 */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** Whether the connection closes after it, whatever else the client has already sent. */
  readonly close?: true;
  /** Replaces `body`: sent in parts as the peer takes them. If it throws, the connection is cut. */
  readonly source?: BodySource;
  /** Replaces `body`, with any length. Such a response is for a single reader. */
  readonly stream?: StreamedBody;
}
