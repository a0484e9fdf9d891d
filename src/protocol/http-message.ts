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

/** A plain HTTP response. Whoever sends it adds `Content-Length`; for HEAD it sends the headers alone. */
export interface HttpResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array | string;
  /** In the place of `body`, part by part as the peer takes it. When it throws, the connection is cut. */
  source?: BodySource;
  /** True where the body's memory is used again for the next answer: whoever cannot send it at once copies it. */
  borrowed?: boolean;
  /**
   * There where the very same object is given again and again: a place for what is made of its head, and for a copy of
   * a borrowed body, which is taken away when the body changes.
   */
  lasting?: { head?: string; headers?: string[]; copy?: Uint8Array | undefined };
}
