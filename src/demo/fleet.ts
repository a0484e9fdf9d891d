import {
  ethereumSigner,
  generateEthereumKey,
  generateKey,
  type KeyPair,
  ProviderSession,
  type Signer,
} from '../client/node.js';
import { type Machine, makeUpMachine, pricesFor, type Random } from './machines.js';

/** How many start at a time. */
const STARTED_AT_ONCE = 20;
/** Milliseconds between two things that happen. */
const HAPPENS_EVERY_MS = 350;
/** One of so many has an Ethereum account instead of a key. */
const ETHEREUM_ONE_OF = 12;

interface Member {
  readonly key: KeyPair | Signer;
  machine: Machine;
  /** Null while it is away. */
  session: ProviderSession | null;
}

/** Made-up providers that come, change their prices and go, each with a key and a session of its own. */
export class Fleet {
  readonly #url: string;
  readonly #random: Random;
  readonly #members: readonly Member[];
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param url The hub. */
  constructor(url: string, size: number, random: Random) {
    this.#url = url;
    this.#random = random;
    this.#members = Array.from({ length: size }, (_, number) => ({
      key: number % ETHEREUM_ONE_OF === 5 ? ethereumSigner(generateEthereumKey()) : generateKey(),
      machine: makeUpMachine(random, number),
      session: null,
    }));
  }

  /** Resolves when all are advertised. */
  async start(): Promise<void> {
    for (let from = 0; from < this.#members.length; from += STARTED_AT_ONCE) {
      const some = this.#members.slice(from, from + STARTED_AT_ONCE);
      await Promise.all(some.map((member) => this.#come(member).published()));
    }
  }

  /** Has things happen from now on. */
  live(): void {
    this.#timer = setInterval(() => {
      this.#happen();
    }, HAPPENS_EVERY_MS);
  }

  /** Has prices change from now on, while nobody goes. */
  changePrices(): void {
    this.#timer = setInterval(() => {
      const member = this.#members[Math.floor(this.#random() * this.#members.length)]!;
      if (member.session !== null) this.#change(member, member.session);
    }, HAPPENS_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#members.map(async ({ session }) => session?.stop()));
  }

  /** One thing: a price changes, or somebody goes, is lost or comes back. */
  #happen(): void {
    const member = this.#members[Math.floor(this.#random() * this.#members.length)]!;
    const { session } = member;
    const what = this.#random();
    if (session === null) this.#come(member);
    else if (what < 0.8) this.#change(member, session);
    else void this.#go(member, session, what < 0.92);
  }

  #come(member: Member): ProviderSession {
    const session = new ProviderSession(this.#url, {
      key: member.key,
      advertisement: member.machine.advertisement,
    });
    member.session = session;
    return session.start();
  }

  #change(member: Member, session: ProviderSession): void {
    const { machine } = member;
    if (machine.usdPerCore === null || machine.advertisement.pricing === undefined) return;
    const usdPerCore = Math.max(
      0.5,
      Math.round(machine.usdPerCore * (0.85 + this.#random() * 0.3) * 100) / 100,
    );
    const advertisement = { ...machine.advertisement, pricing: pricesFor(usdPerCore) };
    member.machine = { usdPerCore, advertisement };
    session.update(advertisement).catch(() => undefined);
  }

  /** @param says Whether it withdraws; who does not is suspect until it comes back. */
  async #go(member: Member, session: ProviderSession, says: boolean): Promise<void> {
    member.session = null;
    try {
      if (says) await session.withdraw();
    } catch {
      // The hub is stopping, too.
    }
    await session.stop();
  }
}
