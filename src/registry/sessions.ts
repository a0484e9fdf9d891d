import type { Entry, Session, SessionToken } from './entry.js';
import type { Log } from './log.js';
import type { State } from './state.js';

/** A session that begins. It takes effect once its entry is applied. */
export interface Attachment {
  token: SessionToken;
  /**
   * Resolves when the provider is live.
   * @throws PersistenceError (as a rejection) if the log does not accept it.
   */
  applied: Promise<void>;
}

/** What sessions need from their registry. */
export interface SessionsHost {
  readonly state: State;
  log(): Log;
  /** Steady Unix milliseconds. */
  steady(): number;
  /** How long ago a provider's last heartbeat was, in milliseconds. */
  heartbeatAgeOf(providerId: string): number;
  /**
   * A provider's session, at another hub, vouches for it.
   * @param heartbeatAgeMs How long ago its last heartbeat was, as far as is known.
   */
  vouch(providerId: string, heartbeatAgeMs?: number): void;
  /** A newer session at another hub has ended one that was open here. */
  takenOver(providerId: string): void;
}

interface OwnSession {
  token: SessionToken;
  from: string | null;
  /** When its provider authenticated: steady Unix milliseconds. */
  begunAt: number;
  /** Whether its entry has not been applied yet. */
  isPending: boolean;
}

/** How many failed sessions are attached again per check; more follow in the next. */
const MAX_AGAIN = 1000;
/** How many checks it takes to go through all sessions. */
const LOOKS_A_ROUND = 25;

/**
 * The sessions open at this hub, among those of all hubs that share its log. The hub may lose one through the log: because another hub
 * has a newer one, or because the others have declared this hub dead.
 */
export class Sessions {
  readonly #host: SessionsHost;
  readonly #open = new Map<string, OwnSession>();
  #nextToken: SessionToken = 1;
  /** The name under which this hub has attached its sessions. */
  #hub = '';
  /** Providers to attach again: it failed before, or the store has lost them. */
  readonly #unattached = new Set<string>();
  #round: Iterator<[string, Session], undefined> | null = null;

  constructor(host: SessionsHost) {
    this.#host = host;
  }

  /** A session begins: all older ones of its provider are void. */
  begin(providerId: string, from: string | null): Attachment {
    const token = this.#nextToken;
    this.#nextToken += 1;
    const own: OwnSession = { token, from, begunAt: this.#host.steady(), isPending: true };
    this.#open.set(providerId, own);
    const applied = this.#attach(providerId, own, false).then(
      () => {
        own.isPending = false;
      },
      (error: unknown) => {
        if (this.#open.get(providerId) === own) this.#open.delete(providerId);
        throw error;
      },
    );
    return { token, applied };
  }

  /** Whether this is the provider's present session, or will be again once this hub counts as running. */
  holds(providerId: string, token: SessionToken): boolean {
    const session = this.#host.state.sessionOf(providerId);
    if (session !== undefined) return session.token === token && session.hub === this.#host.log().hub;
    return this.#open.get(providerId)?.token === token;
  }

  /** A session ended. No effect if a newer one has taken over. @returns Whether it has an effect. */
  end(providerId: string, token: SessionToken): boolean {
    const own = this.#open.get(providerId);
    if (own?.token !== token) return false;
    this.#open.delete(providerId);
    // If a detach is lost, the next session, the next round or the expiry makes up for it.
    this.#proposeEnd(providerId, token, this.#host.steady() - own.begunAt);
    return true;
  }

  /** Call before an entry is applied: sessions that end with it have vouched for their providers up to here. */
  beforeApplying(entry: Entry): void {
    const { state } = this.#host;
    if (entry.kind === 'detach') {
      const { providerId, hub, token, heartbeatAgeMs } = entry;
      const session = state.sessionOf(providerId);
      // This hub knows the heartbeats of its own sessions better than the entry does.
      const isOfOther = session?.hub === hub && session.token === token && hub !== this.#host.log().hub;
      if (isOfOther) this.#host.vouch(providerId, heartbeatAgeMs);
    }
    if (entry.kind !== 'end') return;
    for (const [providerId, session] of state.allSessions())
      if (session.hub === entry.hub) this.#host.vouch(providerId);
  }

  /** Call after an entry was applied. */
  afterApplying(entry: Entry): void {
    if (entry.kind === 'detach' && entry.hub === this.#host.log().hub) {
      const own = this.#open.get(entry.providerId);
      // Somebody has deleted the record from the store. The session is still open.
      if (own?.token === entry.token && !own.isPending) this.#unattached.add(entry.providerId);
      return;
    }
    if (entry.kind !== 'attach' || entry.hub === this.#host.log().hub) return;
    const own = this.#open.get(entry.providerId);
    // A session that waits to be attached comes after this one.
    if (own === undefined || own.isPending) return;
    this.#open.delete(entry.providerId);
    this.#host.takenOver(entry.providerId);
  }

  /** Attaches open sessions again after this hub was declared dead, and checks a share of all sessions. */
  tick(): void {
    const log = this.#host.log();
    if (!log.isShared || log.hub === '') return;
    if (log.hub !== this.#hub) {
      // Also at the first check: this hub may have been declared dead before it.
      this.#hub = log.hub;
      this.#attachAgain(this.#open.keys());
    } else if (this.#unattached.size > 0) {
      const again = [...this.#unattached].slice(0, MAX_AGAIN);
      for (const providerId of again) this.#unattached.delete(providerId);
      this.#attachAgain(again);
    }
    const looks = Math.ceil(this.#host.state.sessions / LOOKS_A_ROUND);
    this.#round ??= this.#host.state.allSessions();
    for (let look = 0; look < looks; look += 1) {
      const step = this.#round.next();
      if (step.done === true) {
        this.#round = null;
        return;
      }
      const [providerId, { hub, token }] = step.value;
      if (hub !== log.hub) this.#host.vouch(providerId);
      else if (this.#open.get(providerId)?.token !== token) this.#proposeEnd(providerId, token);
    }
  }

  #attachAgain(providerIds: Iterable<string>): void {
    for (const providerId of providerIds) {
      const own = this.#open.get(providerId);
      if (own === undefined || own.isPending) continue;
      if (this.#host.state.sessionOf(providerId) !== undefined) continue;
      // Its provider is connected and notices nothing, so nobody else would retry.
      this.#attach(providerId, own, true).catch(() => this.#unattached.add(providerId));
    }
  }

  async #attach(providerId: string, { token, from }: OwnSession, again: boolean): Promise<void> {
    const log = this.#host.log();
    const at = this.#host.steady();
    await log.propose({ kind: 'attach', providerId, hub: log.hub, token, at, from, again });
  }

  /** @param longestMs How long ago the last heartbeat was at most: a session that ends before it is applied began with one. */
  #proposeEnd(providerId: string, token: SessionToken, longestMs = Number.POSITIVE_INFINITY): void {
    const log = this.#host.log();
    const heartbeatAgeMs = Math.min(this.#host.heartbeatAgeOf(providerId), longestMs);
    log.propose({ kind: 'detach', providerId, hub: log.hub, token, heartbeatAgeMs }).catch(() => undefined);
  }
}
