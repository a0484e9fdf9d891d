import type * as Grpc from '@grpc/grpc-js';
import type { Method } from './messages.js';
import { decode, type Draft, encode, type Fields, type Message } from './protobuf.js';

/** How to reach the nodes of an etcd. Certificates are PEM. */
export interface EtcdSettings {
  /** `http://host:port` or `https://host:port` */
  endpoints: readonly string[];
  /** Whom to trust; null for whom the system trusts. */
  ca: Buffer | null;
  /** What the hub shows of itself; null for nothing. */
  client: { cert: Buffer; key: Buffer } | null;
  user: { name: string; password: string } | null;
}

/** etcd refused or did not answer. The message says what it said. */
export class EtcdError extends Error {
  override readonly name = 'EtcdError';
  /** gRPC's number of the status. */
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }

  /** Whether another node, or the same one later, may do what this one did not. */
  get mayPass(): boolean {
    return PASSING.has(this.code);
  }

  /** Whether the token of the user has expired. */
  get needsToken(): boolean {
    return this.code === UNAUTHENTICATED;
  }

  /** Whether there is no such thing, e.g. a lease that has ended. */
  get isNotFound(): boolean {
    return this.code === NOT_FOUND;
  }

  /** Whether there is such a thing already, e.g. a lease of this id. */
  get exists(): boolean {
    return this.code === FAILED_PRECONDITION && this.message.includes('already exists');
  }

  /** Whether etcd has forgotten the revision that was asked for. */
  get isCompacted(): boolean {
    return this.code === OUT_OF_RANGE && this.message.includes('compacted');
  }
}

const UNKNOWN = 2;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const OUT_OF_RANGE = 11;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;
const PASSING = new Set([UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE]);

/** More than any page of a read or part of a watch: what etcd itself takes at most is a tenth. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** How long a stream that nobody needs may take to end by itself, in milliseconds. */
const LINGER_MS = 2000;

/** A stream of messages in both directions. */
export interface EtcdStream<Request> {
  send(message: Request): void;
  /** Ends it; nothing is heard of it any more. */
  cancel(): void;
}

/** How one node of an etcd is asked. */
export interface EtcdNode {
  /**
   * Asks once.
   * @param token Of the user; null for none.
   * @param timeoutMs How long to wait for the answer.
   * @throws EtcdError (as a rejection)
   */
  call<Request extends Fields, Response extends Fields>(
    method: Method<Request, Response>,
    message: Draft<Request>,
    token: string | null,
    timeoutMs: number,
  ): Promise<Message<Response>>;
  /**
   * Opens a stream for one message, and ends it with the first answer.
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
   * @param onEnd Called once, when it ends by itself or fails; the error says why.
   */
  open<Request extends Fields, Response extends Fields>(
    method: Method<Request, Response>,
    token: string | null,
    onMessage: (message: Message<Response>) => void,
    onEnd: (error: EtcdError) => void,
  ): EtcdStream<Draft<Request>>;
  close(): void;
}

/** A node that is reached over the network. */
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
      // A proxy of the environment is meant for the world outside.
      'grpc.enable_http_proxy': 0,
      // Channels to one node are not shared, so that closing one hub's ends it.
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
    // A member that has lost the others ends the stream, rather than going on as if nothing happened.
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
      end(new EtcdError(`${this.url} has ended the stream`, UNAVAILABLE));
    });
    return {
      send: (message) => {
        if (!isOver) stream.write(message);
      },
      cancel: () => {
        if (isOver) return;
        isOver = true;
        // Node 20 may never come back from resetting a stream whose last message has not left yet.
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
    return new EtcdError(`${this.url}: ${details}`, code);
  }
}
