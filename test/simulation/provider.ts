import type { SignedClaim } from '../../src/registry/write/claim.js';
import { type Peer, type SimulatedHub, T0 } from './hub.js';
import { type Reference, Violation } from './reference.js';

const HEARTBEAT_MS = 4000;
/** A provider whose hub says nothing for so long goes to another, in milliseconds. */
const PATIENCE_MS = 10_000;

/** What a provider needs of the world. */
export interface Surroundings {
  readonly now: () => number;
  readonly random: () => number;
  readonly hubs: readonly SimulatedHub[];
  readonly reference: Reference;
  /** A number that nobody has had before. */
  nextNumber(): number;
  readonly fail: (violation: Error) => void;
}

/** A provider that keeps a session open at some hub, comes back when it is lost, and advertises now and then. */
export class SimulatedProvider {
  readonly id: string;
  /** Whether it wants to be there. */
  wants = true;
  /** When it last stopped wanting that. */
  leftAt = 0;
  /** When a hub was last told that it is there. */
  heardAt = Number.NEGATIVE_INFINITY;
  isAttached = false;
  #hub: SimulatedHub | null = null;
  /** The present connection's end; those before it mean nothing any more. */
  #peer: Peer | null = null;
  #comesAt: number;
  #triedAt = 0;
  #beatAt = 0;
  #answeredAt = 0;
  #lastT = 0;
  readonly #key: string;
  readonly #world: Surroundings;

  constructor(no: number, world: Surroundings) {
    this.id = `p${no}`;
    this.#key = no.toString(16).padStart(64, '0');
    this.#world = world;
    this.#comesAt = 5000 * world.random();
  }

  toggle(): void {
    this.wants = !this.wants;
    if (this.wants) return;
    this.leftAt = this.#world.now();
    const hub = this.#hub;
    if (hub === null) return;
    this.#lost();
    // A hub that stands still learns of it later.
    if (!hub.timers.isStalled) hub.close(this.id);
  }

  tick(): void {
    const { random } = this.#world;
    const now = this.#world.now();
    const hub = this.#hub;
    if (hub === null) {
      if (this.wants && now >= this.#comesAt) this.#connect();
      else if (this.wants && random() < 0.01) this.#write(false);
      return;
    }
    if (hub.timers.isStalled) {
      if (now - this.#answeredAt > PATIENCE_MS) this.#lost();
      return;
    }
    if (now - this.#beatAt >= HEARTBEAT_MS) {
      if (!hub.heartbeat(this.id, this.#peer!)) {
        this.#lost();
        return;
      }
      this.#beatAt = now;
      this.#answeredAt = now;
      if (this.isAttached) this.#heard();
    }
    if (!this.isAttached && now - this.#triedAt > PATIENCE_MS) hub.close(this.id);
    else if (this.isAttached && random() < 0.06) this.#write(true);
  }

  #heard(): void {
    this.heardAt = this.#world.now();
  }

  #connect(): void {
    const hub = this.#anyHub();
    if (hub === null) return;
    const now = this.#world.now();
    this.#hub = hub;
    this.#triedAt = now;
    this.#beatAt = now;
    this.#answeredAt = now;
    const peer: Peer = {
      claim: (t) => this.#claim(t),
      attached: () => {
        if (this.#peer !== peer) return;
        this.isAttached = true;
        this.#heard();
      },
      closed: () => {
        if (this.#peer === peer) this.#lost();
      },
    };
    this.#peer = peer;
    void hub.connect(this.id, peer);
  }

  #lost(): void {
    this.#hub = null;
    this.#peer = null;
    this.isAttached = false;
    this.#comesAt = this.#world.now() + 200 + 3000 * this.#world.random();
  }

  #claim(t: number): SignedClaim {
    return { signed: true, providerId: this.id, publicKey: this.#key, t, signature: 'ab'.repeat(64) };
  }

  #anyHub(): SimulatedHub | null {
    const serving = this.#world.hubs.filter(({ isServing }) => isServing);
    return serving[Math.floor(this.#world.random() * serving.length)] ?? null;
  }

  /** Advertises, or withdraws at times. @param overSession Over its session; else over HTTP, at any hub. */
  #write(overSession: boolean): void {
    const { random, reference } = this.#world;
    const hub = overSession ? this.#hub : this.#anyHub();
    if (hub?.writePath == null) return;
    // As every frame is.
    if (overSession) hub.heartbeat(this.id, this.#peer!);
    this.#lastT = Math.max(this.#lastT + 1, T0 + this.#world.now());
    const claim = this.#claim(this.#lastT);
    if (random() < 0.1) {
      hub.writePath.withdraw(claim, null).catch(() => undefined);
      return;
    }
    const cpu = this.#world.nextNumber();
    const resources = { cpu, memory: 1, storage: 1 };
    const payload = Buffer.from(JSON.stringify({ ip_address: '192.0.2.1', country: 'SE', resources }));
    const token = overSession ? (hub.sockets.get(this.id)?.token ?? null) : null;
    hub.writePath.advertise(claim, payload, token).then(
      () => {
        const record = reference.written.get(cpu);
        if (record === undefined)
          this.#world.fail(new Violation(`what ${this.id} was told is stored is not`));
        if (token !== null && record?.session != null && record.session.token !== token)
          this.#world.fail(new Violation(`${this.id} was served over a session that is not its last`));
        if (this.wants) this.#heard();
      },
      // Refused, or not known to be stored: a provider goes on as before.
      () => undefined,
    );
  }
}
