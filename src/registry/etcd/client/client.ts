import { passed, systemTimers, type Timers } from '../../../lib/timers.js';
import { Endpoint, EtcdError, type EtcdNode, type EtcdSettings } from './endpoint.js';
import { type Method, METHODS } from './messages.js';
import type { Draft, Fields, Message } from './protobuf.js';

/** How long one node may take to answer before the next is asked, in milliseconds. */
const ATTEMPT_MS = 1000;
/** How long a request may take overall, in milliseconds. */
const DEADLINE_MS = 5000;
/** How long to wait after all nodes have failed, in milliseconds. */
const ROUND_PAUSE_MS = 100;
/** The gRPC status code of requests that nobody waits for any more. */
const CANCELLED = 1;

/**
 * A client for all nodes of an etcd cluster. If one node does not answer, the next is asked, so all requests must be repeatable.
 */
export class EtcdClient {
  /** The clock for timeouts. */
  readonly timers: Timers;
  readonly #user: EtcdSettings['user'];
  readonly #endpoints: readonly EtcdNode[];
  /** The node that answered last. */
  #at = 0;
  #token: Promise<string> | null = null;
  #isClosed = false;

  constructor(endpoints: readonly EtcdNode[], user: EtcdSettings['user'], timers: Timers) {
    this.#endpoints = endpoints;
    this.#user = user;
    this.timers = timers;
  }

  /** Creates a client, which connects on demand. Loads the gRPC library, which hubs without etcd do not need. */
  static async open(settings: EtcdSettings): Promise<EtcdClient> {
    const grpc = await import('@grpc/grpc-js');
    const endpoints = settings.endpoints.map((url) => new Endpoint(grpc, url, settings));
    return new EtcdClient(endpoints, settings.user, systemTimers);
  }

  /** How many nodes there are. */
  get size(): number {
    return this.#endpoints.length;
  }

  /**
   * Asks the nodes in turn until one answers.
   * @param deadlineMs How long to keep trying.
   * @throws EtcdError (as a rejection) if the request is refused, or no node answers in time.
   */
  call<Request extends Fields, Response extends Fields>(
    method: Method<Request, Response>,
    request: Draft<Request>,
    deadlineMs = DEADLINE_MS,
  ): Promise<Message<Response>> {
    return this.#anywhere(deadlineMs, (endpoint, token, timeoutMs) =>
      endpoint.call(method, request, token, timeoutMs),
    );
  }

  /**
   * Sends one message over a stream of its own and waits for the first response, for requests that etcd only accepts over streams.
   * @throws EtcdError (as a rejection) like `call`.
   */
  exchange<Request extends Fields, Response extends Fields>(
    method: Method<Request, Response>,
    request: Draft<Request>,
    deadlineMs = DEADLINE_MS,
  ): Promise<Message<Response>> {
    return this.#anywhere(deadlineMs, (endpoint, token, timeoutMs) =>
      endpoint.exchange(method, request, token, timeoutMs),
    );
  }

  /**
   * A node to open a stream to, and the token for it.
   * @param turn Selects the node; consecutive numbers select different nodes.
   * @throws EtcdError (as a rejection) if the user is refused or no node answers.
   */
  async node(turn: number): Promise<{ endpoint: EtcdNode; token: string | null }> {
    return { endpoint: this.#endpoints[turn % this.size]!, token: await this.#currentToken() };
  }

  /** Forgets the user's token after it was refused. */
  forgetToken(): void {
    this.#token = null;
  }

  /** Ends all requests, with an EtcdError. */
  close(): void {
    this.#isClosed = true;
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  /** Tries an action on each node in turn until one succeeds. */
  async #anywhere<Result>(
    deadlineMs: number,
    work: (endpoint: EtcdNode, token: string | null, timeoutMs: number) => Promise<Result>,
  ): Promise<Result> {
    const until = this.timers.now() + deadlineMs;
    let isTokenNew = false;
    for (let attempt = 1; ; attempt += 1) {
      const at = this.#at;
      if (this.#isClosed) throw new EtcdError('the client is closed', CANCELLED);
      try {
        const left = Math.max(1, until - this.timers.now());
        return await work(this.#endpoints[at]!, await this.#currentToken(), Math.min(ATTEMPT_MS, left));
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        if (error.needsToken && !isTokenNew && this.#user !== null) {
          isTokenNew = true;
          this.forgetToken();
          continue;
        }
        if (!error.mayPass || this.timers.now() >= until) throw error;
        // Other requests may have moved to another node meanwhile.
        if (this.#at === at) this.#at = (at + 1) % this.size;
        if (attempt % this.size === 0) await passed(this.timers, ROUND_PAUSE_MS);
      }
    }
  }

  async #currentToken(): Promise<string | null> {
    const user = this.#user;
    if (user === null) return null;
    this.#token ??= this.#authenticate(user);
    try {
      return await this.#token;
    } catch (error) {
      this.forgetToken();
      throw error;
    }
  }

  /** Tokens are valid on all nodes, so any node will do. */
  async #authenticate({ name, password }: { name: string; password: string }): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      const endpoint = this.#endpoints[(this.#at + attempt - 1) % this.size]!;
      try {
        const { token } = await endpoint.call(METHODS.authenticate, { name, password }, null, ATTEMPT_MS);
        return token;
      } catch (error) {
        if (!(error instanceof EtcdError) || !error.mayPass || attempt >= this.size) throw error;
      }
    }
  }
}
