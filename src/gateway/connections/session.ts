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

/** What a session needs of the connection that carries it. */
export interface SessionConnection extends HostedConnection {
  /** Whether it is closed or about to be. */
  readonly isOver: boolean;
  /** It has authenticated, and may stay. */
  admit(): void;
  reply(frame: DownFrame): void;
  /** Answers with a frame whose `advertisement` is there as JSON already. */
  replyWith(head: object, advertisement: Uint8Array): void;
  /** Answers a request that was refused. `claimed` is the provider it says to be from, if not the session's. */
  refuse(id: RequestId, error: ProtocolError, claimed?: string): void;
  /** Answers a request that failed, for whatever reason. */
  fault(id: RequestId, error: unknown): void;
  close(code: number, reason: string): void;
}

/** Requests of a provider. */
export type SessionFrame = Up<'authenticate' | 'advertise' | 'withdraw' | 'visibility'>;

/** The provider that a session speaks for, and its hold on it. */
interface Hold {
  providerId: string;
  /** As it was sent, if at all. */
  publicKey: string | null;
  token: SessionToken;
}

/**
 * What a provider does over one connection: it authenticates, once, and is spoken for until the connection ends or
 * a newer session takes over. Its requests are worked off one after the other.
 */
export class Session {
  readonly #gateway: ConnectionHost;
  readonly #connection: SessionConnection;
  /** What the client dialled. */
  readonly #host: string;
  readonly #requests = new RequestQueue();
  /** Whether a withdrawal that this session asked for is under way. */
  #isWithdrawing = false;
  /** Null once it has been used. */
  #nonce: string | null;
  #hold: Hold | null = null;

  /**
   * @param host The handshake's `Host`, lower case.
   * @param nonce What this connection was given to sign.
   */
  constructor(gateway: ConnectionHost, connection: SessionConnection, host: string, nonce: string) {
    this.#gateway = gateway;
    this.#connection = connection;
    this.#host = host;
    this.#nonce = nonce;
  }

  /** Whom it speaks for; null before it has authenticated, and once it is over. */
  get providerId(): string | null {
    return this.#hold?.providerId ?? null;
  }

  /** Whether a request waits or is being worked on. */
  get isAsking(): boolean {
    return !this.#requests.isIdle;
  }

  /** Takes on a request; the connection is closed when too many wait already. */
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
    this.#connection.close(
      CLOSE.messageRate,
      `more than ${limit} requests of a provider wait for their answer`,
    );
  }

  /** The provider gave a sign of life. */
  heartbeat(): void {
    if (this.#hold !== null) this.#gateway.registry.heartbeat(this.#hold.providerId);
  }

  /** A newer session has taken over: from now on this one has no effect on the provider. */
  release(): void {
    this.#hold = null;
  }

  /** The advertisement was withdrawn: news for the provider, unless it asked for that here. */
  advertisementWithdrawn(): void {
    if (this.#hold === null || this.#isWithdrawing) return;
    this.#connection.reply({ type: 'removed', reason: 'withdrawn' });
  }

  /** The connection ends, and the session with it. */
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
      // The nonce is spent either way, so there is nothing left to do here but to come back.
      connection.close(closeCodeOf(error), error.message);
      return;
    }
    // The socket may have gone while the signature was verified; then there is nobody to speak for.
    if (connection.isOver) return;
    const { token, applied } = this.#gateway.takeOver(providerId, connection);
    this.#hold = { providerId, publicKey, token };
    connection.admit();
    try {
      await applied;
    } catch (error) {
      if (!(error instanceof PersistenceError)) throw error;
      connection.close(CLOSE.overloaded, 'the hub cannot take sessions at the moment; connect again soon');
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

  /** Nothing that is asked after it has to wait for the answer, which may take its time. */
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

/** Whether, and when, it makes sense to come back after authentication was refused. */
function closeCodeOf({ code, unavailable }: ProtocolError): number {
  // Clocks get corrected, that of the hub included: a provider must not be lost for good over one.
  if (unavailable || code === 'AUTH_002') return CLOSE.overloaded;
  return code.startsWith('RATE_') ? CLOSE.messageRate : CLOSE.authenticationFailed;
}
