import type { Advertisement } from '../../protocol/advertisement.js';
import { ProtocolError } from '../../protocol/errors.js';
import { LIMITS } from '../../protocol/limits.js';
import { providerIdKind, schemeOf } from '../../protocol/provider-id.js';
import { type SignedAction, sessionPayload, signedBytes } from '../../protocol/signing.js';
import type { Claim, SignedClaim } from './claim.js';
import { isSameAddress } from '../../lib/limits/ip-address.js';
import { KeyedLock } from '../../lib/keyed-lock.js';
import type { DurableEntry } from '../entry.js';
import { ConflictError, type Log, PersistenceError } from '../log.js';
import type { AdvertisementRecord, CountRecord, IdentityRecord } from '../store/records.js';
import { readPayload } from './payload.js';
import { NO_QUOTAS, Quotas, type QuotaSettings } from './quotas.js';
import type { Registry, SessionToken } from '../registry.js';
import { VerifierUnavailableError, type VerifySignature } from './verifier/verifier.js';

/** A write's session was replaced meanwhile: the write has no effect and gets no answer. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

const NO_BYTES = new Uint8Array();
/** How many counts of each kind are handed to the log at once. */
const MAX_SAVED_COUNTS = 500;
/** How many writes of one provider may wait for each other. */
const MAX_WRITES_PER_PROVIDER = 64;
/**
 * How long a write is decided again if other hubs' writes come in between, in milliseconds. Each time, another has been stored, so all those that race
 * get their answer in the end.
 */
const DECIDE_MS = 5000;

/** @param origin The client address; null for one that is not limited. */
type OnWritten = (action: DurableEntry['kind'], providerId: string, origin: string | null) => void;

/**
 * The one path of every write, over HTTP or a session: verify, decide, propose; the log then delivers the entry, which is applied, matched
 * and fanned out. Nothing unverified gets past the first step, and nothing becomes visible before it is durable.
 */
export class WritePath {
  readonly #registry: Registry;
  readonly #log: Log;
  readonly #verify: VerifySignature;
  readonly #onWritten: OnWritten;
  readonly #quotas: Quotas;
  readonly #locks = new KeyedLock(MAX_WRITES_PER_PROVIDER);

  /**
   * @param counts The per-address counts from before the restart.
   * @param onWritten Called with each write that was stored, and the address it came from.
   */
  constructor(
    registry: Registry,
    log: Log,
    verify: VerifySignature,
    quotas: QuotaSettings = NO_QUOTAS,
    counts: readonly CountRecord[] = [],
    onWritten: OnWritten = () => undefined,
  ) {
    this.#registry = registry;
    this.#log = log;
    this.#verify = verify;
    this.#onWritten = onWritten;
    this.#quotas = new Quotas(quotas, registry.origins, registry.clock);
    for (const record of counts) this.#quotas.restore(record);
  }

  /**
   * Hands the counts that changed since the last call to the log. Called periodically, and before the log closes.
   * @param limit The most counts of each kind.
   */
  saveCounts(limit = MAX_SAVED_COUNTS): void {
    const records = this.#quotas.takeChanges(limit);
    if (records.length > 0) this.#log.saveCounts(records);
  }

  /**
   * Publishes an advertisement.
   * @param payload The exact bytes of its JSON text; the caller must not change them afterwards.
   * @param session The session it came over; null for HTTP.
   * @param origin The address it came from, as limits count it; null for one that is not limited.
   * @param from The exact address it came from; null if unknown.
   * @returns The advertisement as clients receive it, JSON, once it is durable and visible.
   * @throws ProtocolError as the contract says; PayloadError if it cannot be parsed; FencedError if the session was replaced.
   */
  async advertise(
    claim: Claim,
    payload: Uint8Array,
    session: SessionToken | null,
    origin: string | null = null,
    from: string | null = null,
  ): Promise<Buffer> {
    if (claim.signed) await this.#authenticate(claim, 'advertise', payload, origin);
    return this.#exclusively(claim.providerId, session, async () => {
      const identity = this.#authorise(claim);
      const advertisement = readPayload(payload);
      const slot = this.#registry.store.find(claim.providerId);
      const settled = this.#quotas.admitAdvertisement(origin, slot);
      try {
        if (identity !== null) await this.#admitBinding(claim.providerId, origin);
        const record = this.#record(claim, advertisement, payload, from);
        await this.#propose({ kind: 'advertise', record, identity, overSession: session !== null, origin });
        this.#onWritten('advertise', claim.providerId, origin);
      } finally {
        settled();
      }
      return this.#registry.find(claim.providerId)!;
    });
  }

  /**
   * Withdraws an advertisement.
   * @throws ProtocolError `ADV_004` if there is none; the signed time counts as used all the same.
   */
  async withdraw(claim: Claim, session: SessionToken | null, origin: string | null = null): Promise<void> {
    if (claim.signed) await this.#authenticate(claim, 'withdraw', NO_BYTES, origin);
    await this.#exclusively(claim.providerId, session, async () => {
      const identity = this.#authorise(claim);
      if (identity !== null) await this.#admitBinding(claim.providerId, origin);
      const existed = this.#registry.store.find(claim.providerId) !== undefined;
      if (!existed && identity !== null) this.#checkRoomFor(identity);
      if (existed || identity !== null) {
        await this.#propose({ kind: 'withdraw', providerId: claim.providerId, identity });
        this.#onWritten('withdraw', claim.providerId, origin);
      }
      if (!existed) {
        throw new ProtocolError('ADV_004', `there is no advertisement of ${claim.providerId} to withdraw`);
      }
    });
  }

  /**
   * Verifies a session's handshake, and binds a name or an address that is still free.
   * @param nonce The nonce of this connection's `welcome`.
   * @param hosts The hosts that the signature may cover.
   * @param otherHosts Hosts that explain a refusal if the signature covers one of them instead.
   * @param origin The address it came from; null for one that is not limited.
   * @throws ProtocolError `AUTH_…`
   */
  async authenticate(
    claim: SignedClaim,
    nonce: string,
    hosts: readonly string[],
    otherHosts: readonly string[],
    origin: string | null = null,
  ): Promise<void> {
    this.#checkTime(claim.t);
    await this.#quotas.checkSignatures(origin);
    const signedHost = await this.#findSignedHost(claim, nonce, [...hosts, ...otherHosts], origin);
    if (signedHost === null) {
      await this.#quotas.noteInvalidSignature(origin);
      throw new ProtocolError(
        'AUTH_001',
        `the signature is not valid; sign action "session" with the nonce of this connection's welcome and the host you dialled (here ${hosts.join(' or ')})`,
      );
    }
    if (!hosts.includes(signedHost)) {
      throw new ProtocolError(
        'AUTH_005',
        `signed for the host ${signedHost}, but this hub is reached as ${hosts.join(' or ')}; dial that, or have the hub's operator add ${signedHost} to DISCOVERY_PUBLIC_HOSTS`,
      );
    }
    await this.#exclusively(claim.providerId, null, async () => {
      this.#checkOwner(claim);
      const now = this.#registry.clock.steady();
      if (await this.#admitBinding(claim.providerId, origin)) {
        const identity = { providerId: claim.providerId, publicKey: claim.publicKey, lastT: 0, seenAt: now };
        await this.#propose({ kind: 'bind', identity });
        this.#onWritten('bind', claim.providerId, origin);
      }
    });
  }

  // ---- verify -----------------------------------------------------------------------------------------------

  async #authenticate(
    claim: SignedClaim,
    action: SignedAction,
    payload: Uint8Array,
    origin: string | null,
  ): Promise<void> {
    this.#checkTime(claim.t);
    await this.#quotas.checkSignatures(origin);
    if (!(await this.#isSigned(claim, action, payload, origin))) {
      await this.#quotas.noteInvalidSignature(origin);
      throw new ProtocolError(
        'AUTH_001',
        `the signature is not valid for action "${action}" of ${claim.providerId} at t=${String(claim.t)}; sign exactly the bytes you send`,
      );
    }
  }

  async #isSigned(
    claim: SignedClaim,
    action: SignedAction,
    payload: Uint8Array | string,
    origin: string | null,
  ): Promise<boolean> {
    const { providerId, t } = claim;
    try {
      return await this.#verify(
        schemeOf(providerId),
        signedBytes({ action, providerId, t, payload }),
        claim.publicKey,
        claim.signature,
        origin,
      );
    } catch (error) {
      if (error instanceof VerifierUnavailableError) throw unavailable(error.message, error);
      throw error;
    }
  }

  async #findSignedHost(
    claim: SignedClaim,
    nonce: string,
    hosts: readonly string[],
    origin: string | null,
  ): Promise<string | null> {
    for (const host of new Set(hosts)) {
      if (await this.#isSigned(claim, 'session', sessionPayload(nonce, host), origin)) return host;
    }
    return null;
  }

  #checkTime(t: number): void {
    const skew = t - this.#registry.clock.wall();
    if (Math.abs(skew) <= LIMITS.maxClockSkewMs) return;
    const seconds = String(Math.round(Math.abs(skew) / 1000));
    throw new ProtocolError(
      'AUTH_002',
      `t lies ${seconds} s ${skew < 0 ? 'before' : 'after'} the hub's clock, at most ${String(LIMITS.maxClockSkewMs / 1000)} s are allowed; set your clock and sign anew`,
    );
  }

  /**
   * Checks that the claim may act for its id now. @returns What to remember of it: null for an unsigned claim.
   */
  #authorise(claim: Claim): IdentityRecord | null {
    const now = this.#registry.clock.steady();
    this.#checkOwner(claim);
    if (!claim.signed) return null;
    const lastT = this.#registry.identities.get(claim.providerId, now)?.lastT ?? 0;
    if (claim.t <= lastT) {
      const wait = Math.ceil((lastT + 1 - claim.t) / 1000);
      throw new ProtocolError(
        'AUTH_002',
        `t=${String(claim.t)} is not later than t=${String(lastT)}, which was accepted already; sign anew with a greater t, which a clock that was set back reaches in ${String(wait)} s`,
        { retryAfterSeconds: wait },
      );
    }
    return { providerId: claim.providerId, publicKey: claim.publicKey, lastT: claim.t, seenAt: now };
  }

  #checkOwner(claim: Claim): void {
    const owner = this.#registry.identities.ownerOf(claim.providerId, this.#registry.clock.steady());
    if (owner === undefined || (claim.signed && owner === claim.publicKey)) return;
    throw new ProtocolError(
      'AUTH_004',
      claim.signed
        ? `${claim.providerId} belongs to another key; sign with that key or choose another provider id`
        : `${claim.providerId} belongs to a key; unsigned requests cannot use it`,
    );
  }

  /** Refuses to remember yet another key that has nothing here. */
  #checkRoomFor({ providerId, publicKey, seenAt }: IdentityRecord): void {
    const { identities } = this.#registry;
    if (providerId !== publicKey || !identities.isFull) return;
    if (identities.get(providerId, seenAt) !== undefined) return;
    throw unavailable('too many keys are withdrawing what they never advertised', undefined);
  }

  /** Whether this binds an id that was free. Counts names towards the address's limit. */
  async #admitBinding(providerId: string, origin: string | null): Promise<boolean> {
    const { identities, clock } = this.#registry;
    const kind = providerIdKind(providerId);
    if (kind === 'key' || identities.get(providerId, clock.steady()) !== undefined) return false;
    // Only names are scarce; Ethereum addresses are not.
    if (kind === 'name') await this.#quotas.spendName(origin);
    return true;
  }

  // ---- persist ----------------------------------------------------------------------------------------------

  /** Allows one write of a provider at a time, so that checking, persisting and applying look like one step to all others. */
  async #exclusively<Result>(
    providerId: string,
    session: SessionToken | null,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const release = await this.#locks.acquire(providerId);
    if (release === null) throw unavailable(`too many writes of ${providerId} are waiting`, undefined);
    this.#registry.beginWrite(providerId);
    try {
      const end = this.#registry.clock.steady() + DECIDE_MS;
      for (;;) {
        if (session !== null && !this.#registry.holds(providerId, session)) throw new FencedError();
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof ConflictError)) throw error;
          if (this.#registry.clock.steady() >= end)
            throw unavailable(`other hubs are writing ${providerId} at the same time`, error);
        }
      }
    } finally {
      this.#registry.endWrite(providerId);
      release();
    }
  }

  /** Resolves once the entry is durable and applied. */
  async #propose(entry: DurableEntry): Promise<void> {
    try {
      await this.#log.propose(entry);
    } catch (error) {
      // The details are for the operator, in the log, because they name files.
      if (error instanceof PersistenceError) throw unavailable('its storage cannot be written', error);
      throw error;
    }
  }

  #record(
    claim: Claim,
    advertisement: Advertisement,
    payload: Uint8Array,
    from: string | null,
  ): AdvertisementRecord {
    const { providerId } = claim;
    const { clock } = this.#registry;
    this.#registry.followWall();
    const slot = this.#registry.store.find(providerId);
    return {
      providerId,
      ipAddress: advertisement.ip_address,
      country: advertisement.country,
      resources: advertisement.resources,
      platform: advertisement.platform ?? null,
      pricing: advertisement.pricing ?? null,
      name: advertisement.name ?? null,
      paymentsNetwork: advertisement.payments_network ?? null,
      attributes: advertisement.attributes ?? null,
      endpoint: advertisement.endpoint ?? null,
      ipConfirmed: from !== null && isSameAddress(from, advertisement.ip_address),
      createdAt: slot === undefined ? clock.wall() : this.#registry.store.createdAt(slot),
      updatedAt: clock.steady(),
      proof: claim.signed
        ? { publicKey: claim.publicKey, t: claim.t, payload, signature: claim.signature }
        : null,
      attached: this.#registry.isAttached(providerId),
    };
  }
}

function unavailable(reason: string, cause: unknown): ProtocolError {
  return new ProtocolError(
    'ADV_001',
    `the hub cannot store anything at the moment: ${reason}; try again soon`,
    {
      unavailable: true,
      retryAfterSeconds: 5,
      cause,
    },
  );
}
