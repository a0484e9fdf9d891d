import type * as Grpc from '@grpc/grpc-js';
import type { Method } from './messages.js';
import { decode, type Draft, encode, type Fields, type Message } from './protobuf.js';

/** How to reach an etcd cluster. Certificates are PEM. */
export interface EtcdSettings {
  /** `http://host:port` or `https://host:port` */
  endpoints: readonly string[];
  /** The CA to trust; null for those the system trusts. */
  ca: Buffer | null;
  /** The hub's client certificate; null for none. */
  client: { cert: Buffer; key: Buffer } | null;
  user: { name: string; password: string } | null;
}

/** etcd refused a request or did not answer. The message has its reason. */
export class EtcdError extends Error {
  override readonly name = 'EtcdError';
  /** The gRPC status code. */
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }

  /** Whether another node, or the same one later, may succeed. */
  get mayPass(): boolean {
    return PASSING.has(this.code);
  }

  /** Whether the user's token is no longer valid: it has expired or, as a JWT, is older than the last change of etcd's users. */
  get needsToken(): boolean {
    return (
      this.code === UNAUTHENTICATED ||
      (this.code === INVALID_ARGUMENT && this.message.includes('auth store is old'))
    );
  }

  /** Whether something does not exist, e.g. an expired lease. */
  get isNotFound(): boolean {
    return this.code === NOT_FOUND;
  }

  /** Whether something already exists, e.g. a lease with this id. */
  get exists(): boolean {
    return this.code === FAILED_PRECONDITION && this.message.includes('already exists');
  }

  /** What it says, and what to do about it where only an operator can. */
  get advice(): string {
    if (this.code !== RESOURCE_EXHAUSTED || !this.message.includes('space exceeded')) return this.message;
    return `${this.message}: compact and defragment it, then disarm its alarm, as docs/cluster.md says`;
  }

  /** Whether etcd has compacted the requested revision. */
  get isCompacted(): boolean {
    return this.code === OUT_OF_RANGE && this.message.includes('compacted');
  }
}

const UNKNOWN = 2;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const OUT_OF_RANGE = 11;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;
const PASSING = new Set([UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE]);

/** Larger than any page of a read or fragment of a watch: etcd accepts at most a tenth of it. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** How long a finished stream may take to close by itself, in milliseconds. */
const LINGER_MS = 2000;

/** A stream of messages in both directions. */
export interface EtcdStream<Request> {
  send(message: Request): void;
  /** Closes it; no callbacks follow. */
  cancel(): void;
}

/** One etcd node. */
export interface EtcdNode {
  /**
   * Makes one request.
   * @param token The user's token; null for none.
   * @param timeoutMs How long to wait for the response.
   * @throws EtcdError (as a rejection)
   */
  call<Request extends Fields, Response extends Fields>(
    method: Method<Request, Response>,
    message: Draft<Request>,
    token: string | null,
    timeoutMs: number,
  ): Promise<Message<Response>>;
  /**
   * Opens a stream for one message, and closes it after the first response.
   * @throws EtcdError (as a rejection)
   */
  exchange<Request extends Fields, Response extends Fields>(
    method: Method<Request, Response>,
    message: Draft<Request>,
    token: string | null,
    timeoutMs: number,
  ): Promise<Message<Response>>;
  /**
   * Opens a stream.
   * @param onEnd Called once, if it ends by itself or fails; the error says why.
   */
  open<Request extends Fields, Response extends Fields>(
    method: Method<Request, Response>,
    token: string | null,
    onMessage: (message: Message<Response>) => void,
    onEnd: (error: EtcdError) => void,
  ): EtcdStream<Draft<Request>>;
  close(): void;
}

/** An etcd node reached over the network. */
export class Endpoint implements EtcdNode {
  readonly url: string;
  readonly #grpc: typeof Grpc;
  readonly #channel: Grpc.Client;

  constructor(grpc: typeof Grpc, url: string, { ca, client }: EtcdSettings) {
    this.url = url;
    this.#grpc = grpc;
    const { protocol, host } = new URL(url);
    const credentials =
      protocol === 'https:'
        ? grpc.credentials.createSsl(ca, client?.key ?? null, client?.cert ?? null)
        : grpc.credentials.createInsecure();
    this.#channel = new grpc.Client(host, credentials, {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
      'grpc.max_send_message_length': MAX_ANSWER_BYTES,
      // Proxies configured in the environment are for the outside world.
      'grpc.enable_http_proxy': 0,
      // Do not share channels to a node, so that closing one hub's really closes it.
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  call<Request extends Fields, Response extends Fields>(
    { path, request, response }: Method<Request, Response>,
    message: Draft<Request>,
    token: string | null,
    timeoutMs: number,
  ): Promise<Message<Response>> {
    return new Promise((resolve, reject) => {
      this.#channel.makeUnaryRequest(
        path,
        (draft: Draft<Request>) => encode(request, draft),
        (bytes) => decode(response, bytes),
        message,
        this.#metadata(token),
        { deadline: Date.now() + timeoutMs },
        (error, answer) => {
          if (error !== null) reject(this.#errorOf(error));
          else resolve(answer!);
        },
      );
    });
  }

  exchange<Request extends Fields, Response extends Fields>(
    method: Method<Request, Response>,
    message: Draft<Request>,
    token: string | null,
    timeoutMs: number,
  ): Promise<Message<Response>> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        stream.cancel();
      };
      const timer = setTimeout(() => {
        end();
        reject(new EtcdError(`${this.url} did not answer within ${timeoutMs} ms`, DEADLINE_EXCEEDED));
      }, timeoutMs);
      const stream = this.open(
        method,
        token,
        (answer) => {
          end();
          resolve(answer);
        },
        (error) => {
          end();
          reject(error);
        },
      );
      stream.send(message);
    });
  }

  open<Request extends Fields, Response extends Fields>(
    { path, request, response }: Method<Request, Response>,
    token: string | null,
    onMessage: (message: Message<Response>) => void,
    onEnd: (error: EtcdError) => void,
  ): EtcdStream<Draft<Request>> {
    const metadata = this.#metadata(token);
    // Makes a node that has lost the others end the stream, rather than continue silently.
    metadata.set('hasleader', 'true');
    const stream = this.#channel.makeBidiStreamRequest(
      path,
      (draft: Draft<Request>) => encode(request, draft),
      (bytes) => decode(response, bytes),
      metadata,
    );
    let isOver = false;
    const end = (error: EtcdError): void => {
      if (isOver) return;
      isOver = true;
      onEnd(error);
    };
    stream.on('data', (message: Message<Response>) => {
      if (!isOver) onMessage(message);
    });
    stream.on('error', (error: Grpc.ServiceError) => {
      end(this.#errorOf(error));
    });
    stream.on('end', () => {
      end(new EtcdError(`${this.url} ended the stream`, UNAVAILABLE));
    });
    return {
      send: (message) => {
        if (!isOver) stream.write(message);
      },
      cancel: () => {
        if (isOver) return;
        isOver = true;
        // Node 20 may hang after resetting a stream whose last message has not been sent yet.
        stream.end();
        setTimeout(() => {
          stream.cancel();
        }, LINGER_MS).unref();
      },
    };
  }

  close(): void {
    this.#channel.close();
  }

  #metadata(token: string | null): Grpc.Metadata {
    const metadata = new this.#grpc.Metadata();
    if (token !== null) metadata.set('token', token);
    return metadata;
  }

  #errorOf({ code, details }: Grpc.ServiceError): EtcdError {
    const said = details.includes('Waiting for LB pick')
      ? 'no connection in time; check http or https, the port, and DISCOVERY_ETCD_CA'
      : details.replace(/[.\s]*Resolution note:\s*$/, '');
    return new EtcdError(`${this.url}: ${said}`, code);
  }
}
