import type { Entry, Session, SessionToken } from './entry.js';
import type { Log } from './log.js';
import type { State } from './state.js';

/** A session that begins. It counts once its entry is applied. */
export interface Attachment {
  token: SessionToken;
  /**
   * Resolves when the provider is live.
   * @throws PersistenceError (as a rejection) when the log does not take it.
   */
  applied: Promise<void>;
}

/** What sessions need of their registry. */
export interface SessionsHost {
  readonly state: State;
  log(): Log;
  /** Steady Unix milliseconds. */
  steady(): number;
  /** The hub at which it has a session vouches for a provider. */
  vouch(providerId: string): void;
  /** A session that was open here has ended, because there is a newer one at another hub. */
  takenOver(providerId: string): void;
}

interface OwnSession {
  token: SessionToken;
  from: string | null;
  /** Whether its entry has not been applied yet. */
  isPending: boolean;
}

/** More of those that could not be attached again follow in the next looks. */
const MAX_AGAIN = 1000;
/** In so many looks all sessions are looked at once. */
const LOOKS_A_ROUND = 25;

/**
 * The sessions that are open at this hub, among those of all that share its log. The log may take a session from it: another hub's is
 * newer, or the others have declared this hub dead.
 */
export class Sessions {
  readonly #host: SessionsHost;
  readonly #open = new Map<string, OwnSession>();
  #nextToken: SessionToken = 1;
  /** As whom this hub has attached its sessions. */
  #hub = '';
  /** Providers that could not be attached again. */
  readonly #unattached = new Set<string>();
  #round: Iterator<[string, Session], undefined> | null = null;

  constructor(host: SessionsHost) {
    this.#host = host;
  }

  /** A session begins: every older one of its provider is void. */
  begin(providerId: string, from: string | null): Attachment {
    const token = this.#nextToken;
    this.#nextToken += 1;
    const own: OwnSession = { token, from, isPending: true };
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

  /** A session ended. Without effect when a newer one has taken over. @returns Whether it has an effect. */
  end(providerId: string, token: SessionToken): boolean {
    if (this.#open.get(providerId)?.token !== token) return false;
    this.#open.delete(providerId);
    // A detach that is lost is made up for by the next session, by the next round, or by the expiry.
    this.#propose({ kind: 'detach', providerId, hub: this.#host.log().hub, token });
    return true;
  }

  /** To be called before an entry is applied: those who vouched for others until now have done so up to here. */
  beforeApplying(entry: Entry): void {
    const { hub } = this.#host.log();
    if (entry.kind === 'detach' && entry.hub !== hub) this.#host.vouch(entry.providerId);
    if (entry.kind !== 'end') return;
    for (const [providerId, session] of this.#host.state.allSessions())
      if (session.hub === entry.hub) this.#host.vouch(providerId);
  }

  /** To be called after an entry was applied. */
  afterApplying(entry: Entry): void {
    if (entry.kind !== 'attach' || entry.hub === this.#host.log().hub) return;
    const own = this.#open.get(entry.providerId);
    // One that waits to be attached comes after this one.
    if (own === undefined || own.isPending) return;
    this.#open.delete(entry.providerId);
    this.#host.takenOver(entry.providerId);
  }

  /** Attaches anew what is open when this hub was declared dead, and looks at some of all sessions. */
  tick(): void {
    const log = this.#host.log();
    if (!log.isShared || log.hub === '') return;
    if (log.hub !== this.#hub) {
      // Also at the first look, before which this hub may have been declared dead already.
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
      else if (this.#open.get(providerId)?.token !== token)
        this.#propose({ kind: 'detach', providerId, hub, token });
    }
  }

  #attachAgain(providerIds: Iterable<string>): void {
    for (const providerId of providerIds) {
      const own = this.#open.get(providerId);
      if (own === undefined || own.isPending) continue;
      if (this.#host.state.sessionOf(providerId) !== undefined) continue;
      // Its provider is connected and notices nothing, so nobody else would see to it.
      this.#attach(providerId, own, true).catch(() => this.#unattached.add(providerId));
    }
  }

  async #attach(providerId: string, { token, from }: OwnSession, again: boolean): Promise<void> {
    const log = this.#host.log();
    const at = this.#host.steady();
    await log.propose({ kind: 'attach', providerId, hub: log.hub, token, at, from, again });
  }

  #propose(entry: Entry): void {
    this.#host
      .log()
      .propose(entry)
      .catch(() => undefined);
  }
}
