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
}

/** A body that is too long to be made in one piece. */
export interface BodySource {
  /** Of all parts together. */
  readonly bytes: number;
  /** The next part, which is the caller's; null behind the last. Throws when it cannot be had any more. */
  next(): Uint8Array | null;
  /** To be called once no more is asked for, for whatever reason. */
  close(): void;
}

/**
 * A plain HTTP response, which never changes: it may be given to many. Whoever sends it adds `Content-Length`; for HEAD
 * it sends the headers alone.
 */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** In the place of `body`, part by part as the peer takes it. When it throws, the connection is cut. */
  readonly source?: BodySource;
}
