import { CLOSE } from '../../protocol/frames/close-codes.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { DownFrame } from '../../protocol/frames/frames-down.js';
import type { RequestId, Up } from '../../protocol/frames/frames-up.js';
import { utf8 } from '../../protocol/text.js';
import { PersistenceError } from '../../registry/log.js';
import type { SessionToken } from '../../registry/registry.js';
import { readSignedClaim } from '../../registry/write/claim.js';
import type { ConnectionHost, HostedConnection } from './connection-host.js';
import { RequestQueue } from './request-queue.js';
import { QUEUE } from '../settings.js';

/** What a session needs from its connection. */
export interface SessionConnection extends HostedConnection {
  /** Whether it is closed or about to be. */
  readonly isOver: boolean;
  /** Admits the connection, because it has authenticated. */
  admit(): void;
  reply(frame: DownFrame): void;
  /** Answers with a frame whose `advertisement` is already JSON. */
  replyWith(head: object, advertisement: Uint8Array): void;
  /** Answers a refused request. `claimed` is the provider it claims to come from, if not the session's. */
  refuse(id: RequestId, error: ProtocolError, claimed?: string): void;
  /** Answers a request that failed for any reason. */
  fault(id: RequestId, error: unknown): void;
  close(code: number, reason: string): void;
}

/** A provider's requests. */
export type SessionFrame = Up<'authenticate' | 'advertise' | 'withdraw' | 'visibility'>;

/** The provider that a session speaks for, and its hold on it. */
interface Hold {
  providerId: string;
  /** As sent; undefined if left out. */
  publicKey: string | null;
  token: SessionToken;
}

/**
 * What a provider does over one connection: it authenticates, once, and the session speaks for it until the connection ends or a newer
 * session takes over. Its requests are processed one at a time.
 */
export class Session {
  readonly #gateway: ConnectionHost;
  readonly #connection: SessionConnection;
  /** The host the client dialled. */
  readonly #host: string;
  readonly #requests = new RequestQueue();
  /** Whether a withdrawal requested by this session is in progress. */
  #isWithdrawing = false;
  /** Null once used. */
  #nonce: string | null;
  #hold: Hold | null = null;

  /**
   * @param host The handshake's `Host`, lower case.
   * @param nonce The nonce that this connection has to sign.
   */
  constructor(gateway: ConnectionHost, connection: SessionConnection, host: string, nonce: string) {
    this.#gateway = gateway;
    this.#connection = connection;
    this.#host = host;
    this.#nonce = nonce;
  }

  /** The provider it speaks for; null before authentication, and once it is over. */
  get providerId(): string | null {
    return this.#hold?.providerId ?? null;
  }

  /** Whether a request is waiting or in progress. */
  get isAsking(): boolean {
    return !this.#requests.isIdle;
  }

  /** Queues a request; closes the connection if too many are waiting already. */
  receive(frame: SessionFrame): void {
    const taken = this.#requests.add(async () => {
      if (this.#connection.isOver) return;
      try {
        await this.#work(frame);
      } catch (error) {
        this.#connection.fault(frame.id, error);
      }
    });
    if (taken) return;
    const limit = String(QUEUE.maxWaitingRequests);
    this.#connection.close(CLOSE.messageRate, `more than ${limit} requests of a provider are pending`);
  }

  /** Records a sign of life from the provider. */
  heartbeat(): void {
    if (this.#hold !== null) this.#gateway.registry.heartbeat(this.#hold.providerId);
  }

  /** A newer session has taken over: this one no longer affects the provider. */
  release(): void {
    this.#hold = null;
  }

  /** The advertisement was withdrawn: tells the provider, unless this session requested it. */
  advertisementWithdrawn(): void {
    if (this.#hold === null || this.#isWithdrawing) return;
    this.#connection.reply({ type: 'removed', reason: 'withdrawn' });
  }

  /** The connection ends, and with it the session. */
  end(): void {
    const hold = this.#hold;
    this.#hold = null;
    if (hold !== null) this.#gateway.sessionEnded(hold.providerId, hold.token, this.#connection);
  }

  async #work(frame: SessionFrame): Promise<void> {
    switch (frame.type) {
      case 'authenticate':
        await this.#authenticate(frame);
        return;
      case 'advertise':
        await this.#advertise(frame);
        return;
      case 'withdraw':
        await this.#withdraw(frame);
        return;
      case 'visibility':
        this.#tellVisibility(frame);
        return;
    }
  }

  async #authenticate(frame: Up<'authenticate'>): Promise<void> {
    const connection = this.#connection;
    const nonce = this.#nonce;
    this.#nonce = null;
    const publicKey = frame.public_key ?? null;
    let providerId: string;
    try {
      if (nonce === null) {
        throw new ProtocolError(
          'AUTH_001',
          "this connection's nonce has been used; open a new connection to authenticate again",
        );
      }
      const claim = readSignedClaim(frame.provider_id, publicKey, frame.t, frame.signature);
      ({ providerId } = claim);
      await this.#gateway.authenticate(claim, nonce, this.#host, connection.client.address);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      connection.refuse(frame.id, error, frame.provider_id);
      // The nonce is spent either way, so the client has to reconnect.
      connection.close(closeCodeOf(error), error.message);
      return;
    }
    // The socket may have closed while the signature was being verified.
    if (connection.isOver) return;
    const { token, applied } = this.#gateway.takeOver(providerId, connection);
    this.#hold = { providerId, publicKey, token };
    connection.admit();
    try {
      await applied;
    } catch (error) {
      if (!(error instanceof PersistenceError)) throw error;
      connection.close(CLOSE.overloaded, 'the hub cannot accept sessions at the moment; reconnect soon');
      return;
    }
    const advertisement = this.#gateway.registry.find(providerId) ?? utf8('null');
    connection.replyWith({ type: 'authenticated', id: frame.id, provider_id: providerId }, advertisement);
  }

  async #advertise(frame: Up<'advertise'>): Promise<void> {
    const { providerId, publicKey, token } = this.#requireHold();
    const claim = readSignedClaim(providerId, publicKey, frame.t, frame.signature);
    const advertisement = await this.#gateway.writePath.advertise(
      claim,
      utf8(frame.payload),
      token,
      this.#connection.client.address,
      this.#connection.from,
    );
    this.#connection.replyWith({ type: 'advertised', id: frame.id }, advertisement);
  }

  async #withdraw(frame: Up<'withdraw'>): Promise<void> {
    const { providerId, publicKey, token } = this.#requireHold();
    const claim = readSignedClaim(providerId, publicKey, frame.t, frame.signature);
    this.#isWithdrawing = true;
    try {
      await this.#gateway.writePath.withdraw(claim, token, this.#connection.client.address);
    } finally {
      this.#isWithdrawing = false;
    }
    this.#connection.reply({ type: 'withdrawn', id: frame.id });
  }

  /** Not queued: its answer may take a while, and later requests must not wait for it. */
  #tellVisibility({ id }: Up<'visibility'>): void {
    const connection = this.#connection;
    const { providerId } = this.#requireHold();
    this.#gateway.visibilities.ask(providerId, connection.client.address).then(
      (visibility) => {
        if (!connection.isOver) connection.reply({ type: 'visibility', id, ...visibility });
      },
      (error: unknown) => {
        if (!connection.isOver) connection.fault(id, error);
      },
    );
  }

  #requireHold(): Hold {
    if (this.#hold !== null) return this.#hold;
    throw new ProtocolError('WS_002', 'authenticate first, then advertise, withdraw and ask for visibility');
  }
}

/** The close code that tells whether, and when, to reconnect after a refused authentication. */
function closeCodeOf({ code, unavailable }: ProtocolError): number {
  // Clocks get corrected, including the hub's, so a wrong one must not turn a provider away for good.
  if (unavailable || code === 'AUTH_002') return CLOSE.overloaded;
  return code.startsWith('RATE_') ? CLOSE.messageRate : CLOSE.authenticationFailed;
}
