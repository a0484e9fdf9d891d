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

/** A plain HTTP response. Whoever sends it adds `Content-Length`; for HEAD it sends the headers alone. */
export interface HttpResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array | string;
  /** True where the body's memory is used again for the next answer: whoever cannot send it at once copies it. */
  borrowed?: boolean;
  /** There where the very same object is given again and again: a place for what is made of its head. */
  lasting?: { head?: string };
}
