/** A plain HTTP request, read in full. */
export interface HttpRequest {
  /** Upper case. */
  method: string;
  /** Still percent-encoded, without the query. */
  path: string;
  /** Without `?`; empty when there is none. */
  search: string;
  /** By lower-case name; a header given several times is joined with ", ". */
  headers: ReadonlyMap<string, string>;
  body: Uint8Array;
  /** The socket's peer, as text. */
  peerAddress: string;
  /** Whether its sender has gone while it waits for the answer. */
  readonly isGone: boolean;
}

/** A body that is too long to be made in one piece. */
export interface BodySource {
  /** Of all parts together. */
  readonly bytes: number;
  /** Called once, before the first part is asked for. @param cut Ends the connection, whose reader is given up. */
  begin?(cut: () => void): void;
  /** The next part, which is the caller's; null behind the last. Throws when it cannot be had any more. */
  next(): Uint8Array | null;
  /** To be called once no more is asked for, for whatever reason. */
  close(): void;
}

/**
 * Where the bytes of a streamed body go: one response to one reader, until either side ends it. Calls after the end are
 * ignored.
 */
export interface BodyStream {
  /** Bytes handed over that the system has not taken yet, at most a few KiB off. */
  readonly bufferedAmount: number;
  /**
   * The head of the response may wait for the first bytes. They are the transport's from here on and must not change.
   * @returns `sent`: handed to the system. `queued`: kept until `emptied`. `dropped`: the response is over.
   */
  send(bytes: Uint8Array): 'sent' | 'queued' | 'dropped';
  /** Ends the body properly, behind what is queued; a reader that does not take it within seconds is cut. */
  end(): void;
  /** Cuts the connection, so that the reader knows that something is missing. */
  terminate(): void;
}

/** Who fills a streamed body. */
export interface BodyStreamHandler {
  /** After `queued`, once: all that waited has been taken by the system. */
  emptied(): void;
  /** Called a few times in a second, where there is something to do in time. */
  tick?(): void;
  /** The response is over, whoever ended it. Called exactly once, and never from within a call to the stream. */
  closed(): void;
}

/** A body that is written as it comes about, and whose length nobody knows. Either `open` or `close` is called, once. */
export interface StreamedBody {
  /** Somebody reads. */
  open(stream: BodyStream): BodyStreamHandler;
  /** Nobody will: the request was HEAD, or its sender is gone. */
  close(): void;
}

/**
 * A plain HTTP response, which never changes: it may be given to many. Whoever sends it adds `Content-Length`, where the
 * length is known; for HEAD it sends the headers alone.
 */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** Whether the connection ends behind it, whatever else its client has sent already. */
  readonly close?: true;
  /** In the place of `body`, part by part as the peer takes it. When it throws, the connection is cut. */
  readonly source?: BodySource;
  /** In the place of `body`, of any length. Such a response is for one reader. */
  readonly stream?: StreamedBody;
}
