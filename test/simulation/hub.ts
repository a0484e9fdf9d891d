import type { Clock } from '../../src/lib/clock.js';
import { EtcdClient } from '../../src/registry/etcd/client/client.js';
import { SharedLog } from '../../src/registry/etcd/shared-log.js';
import type { Entry } from '../../src/registry/entry.js';
import type { Deliver, Log, LogFollower, OpenLog } from '../../src/registry/log.js';
import { openRegistry } from '../../src/registry/open.js';
import type { Registry } from '../../src/registry/registry.js';
import { CPU } from '../../src/registry/store/columns.js';
import type { SignedClaim } from '../../src/registry/write/claim.js';
import { WritePath } from '../../src/registry/write/write-path.js';
import type { Ends } from './ends.js';
import { type Disk, SimulatedCopy } from './copy.js';
import type { Mutant } from './mutants.js';
import { type Line, type Network, SimulatedNode } from './node.js';
import { listOf, type Sight } from './reference.js';
import { ProcessTimers } from './scheduler.js';

export const PREFIX = '/simulation/';
export const EXPIRY_MS = 40_000;
/** Unix milliseconds at which simulations begin. */
export const T0 = 1_740_063_600_000;
const NODES = 3;
export const TICK_MS = 800;
/** How far local copies are behind, in milliseconds. */
const COPY_LAG_MS = 6000;
/** After so long without a heartbeat a hub closes a socket, in milliseconds. */
const HEARTBEAT_MS = 12_000;
/** How far each hub's clock is ahead of the one before it, in milliseconds. */
const SKEW_MS = 20_000;
/** So long after its last trouble a hub counts all time again, in milliseconds. */
const RECOVERY_MS = 5000;
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Whoever is at the other end of a socket. */
export interface Peer {
  readonly claim: (t: number) => SignedClaim;
  /** The session is open. */
  attached(): void;
  closed(): void;
}

/** A connection of a provider to a hub. */
export interface Socket {
  peer: Peer;
  providerId: string;
  token: number | null;
  /** In the hub's service time, to which its own stalls do not count. */
  heardAt: number;
}

/** A hub of the real registry, log and write path, in a process that may stand still or die. */
export class SimulatedHub {
  readonly name: string;
  line: Line;
  registry: Registry | null = null;
  log: Log | null = null;
  writePath: WritePath | null = null;
  /** Connections, by provider: a newer one takes the place of an older one. */
  readonly sockets = new Map<string, Socket>();
  /** When it last stood still or could not reach the store. */
  #troubledAt = Number.NEGATIVE_INFINITY;
  /** When it last heard of each provider. */
  readonly #seenAt = new Map<string, number>();
  readonly #ends: Ends;
  readonly #skewMs: number;
  readonly #disk: Disk = { records: new Map(), hubs: new Set(), mark: null };
  readonly #hasCopy: boolean;
  readonly #network: Network;
  readonly #mutant: Mutant;
  #isTicking = false;
  /** Up to where it was compared with the store. */
  #comparedAt = -1;

  constructor(no: number, ends: Ends, network: Network, mutant: Mutant) {
    this.name = `hub${no}`;
    this.#skewMs = no * SKEW_MS;
    this.#hasCopy = no !== 2;
    this.#ends = ends;
    this.#network = network;
    this.#mutant = mutant;
    this.line = { timers: new ProcessTimers(network.scheduler), isCut: false };
    this.boot();
  }

  get timers(): ProcessTimers {
    return this.line.timers;
  }

  /** Whether anybody who connects gets an answer. */
  get isServing(): boolean {
    return (
      this.registry !== null &&
      !this.timers.isStalled &&
      !this.registry.isCutOff &&
      this.log?.problem === null
    );
  }

  /** Notices whether something is wrong with it. */
  look(): void {
    if (this.timers.isStalled || this.line.isCut || !this.#network.isUp)
      this.#troubledAt = this.#network.scheduler.now;
  }

  isTroubledSince(time: number): boolean {
    return this.#troubledAt >= time;
  }

  /** The process is gone, with all its connections. */
  crash(): void {
    this.timers.isDead = true;
    this.registry = null;
    this.log = null;
    this.writePath = null;
    for (const { peer } of [...this.sockets.values()]) peer.closed();
    this.sockets.clear();
  }

  /** A new process begins; again and again, while it cannot reach the store. */
  boot(): void {
    const timers = new ProcessTimers(this.#network.scheduler);
    this.line = { timers, isCut: this.line.isCut };
    const { line } = this;
    this.#comparedAt = -1;
    const nodes = Array.from({ length: NODES }, () => new SimulatedNode(this.#network, line));
    const clock: Clock = {
      monotonic: () => timers.now(),
      wall: () => T0 + this.#skewMs + timers.now(),
      cpu: () => 0,
      boot: () => null,
    };
    const settings = { endpoints: ['the simulation'], prefix: PREFIX, hubName: this.name, markPath: null };
    const copy = new SimulatedCopy(this.#disk, timers, this.#network.random, this.#mutant.marks);
    // The last hub has none, and reads the store whenever it starts.
    const copying = this.#hasCopy ? { copy, lagMs: COPY_LAG_MS } : null;
    const open = SharedLog.over(new EtcdClient(nodes, null, timers), settings, SILENT, copying);
    const opening: OpenLog = async (sink) => this.#seamed(await open(sink));
    const registrySettings = {
      expiryMs: EXPIRY_MS,
      restartGraceMs: 1000,
      replayEvents: 24,
      cleanupMs: 10_000,
    };
    openRegistry(opening, registrySettings, clock).then(
      ({ registry, log }) => {
        if (timers.isDead) return;
        this.registry = registry;
        this.log = log;
        this.writePath = new WritePath(registry, log, () => Promise.resolve(true));
        registry.onTakenOver((providerId) => {
          this.close(providerId);
        });
        timers.every(TICK_MS, () => {
          this.#tick();
        });
      },
      () => {
        timers.after(1000, () => {
          timers.isDead = true;
          this.boot();
        });
      },
    );
  }

  /** What a list says here. */
  get list(): string {
    const { store } = this.registry!;
    const all: Sight[] = [];
    for (const [slot, id] of store.ids.entries())
      if (id !== undefined) all.push([id, store.attributes.amounts[CPU]![slot]!, store.isLive(slot)]);
    return listOf(all);
  }

  /** The revision that is applied, the first time that it is asked for; null where it was asked for already. */
  takeRevision(): number | null {
    const position = this.log?.position ?? this.#comparedAt;
    if (this.registry === null || position === this.#comparedAt) return null;
    this.#comparedAt = position;
    return position;
  }

  /** A provider connects and authenticates. */
  async connect(providerId: string, peer: Peer): Promise<void> {
    const { registry, writePath } = this;
    if (registry === null || writePath === null) return;
    this.close(providerId);
    const socket: Socket = { peer, providerId, token: null, heardAt: registry.clock.now };
    this.sockets.set(providerId, socket);
    try {
      await writePath.authenticate(peer.claim(T0 + this.timers.now()), 'nonce', ['hub'], []);
      if (this.sockets.get(providerId) !== socket) return;
      this.#sees(providerId);
      const { token, applied } = registry.attach(providerId);
      socket.token = token;
      await applied;
      if (this.sockets.get(providerId) === socket) peer.attached();
    } catch {
      if (this.sockets.get(providerId) === socket) this.close(providerId);
    }
  }

  /** A sign of life. @returns Whether the provider has a connection here. */
  heartbeat(providerId: string, peer: Peer): boolean {
    const socket = this.sockets.get(providerId);
    if (socket?.peer !== peer) return false;
    socket.heardAt = this.registry!.clock.now;
    if (socket.token === null) return true;
    this.#sees(providerId);
    this.registry!.heartbeat(providerId);
    return true;
  }

  /** A connection ends, and the session with it. */
  close(providerId: string): void {
    const socket = this.sockets.get(providerId);
    if (socket === undefined) return;
    this.sockets.delete(providerId);
    if (socket.token !== null) this.registry?.detach(providerId, socket.token);
    socket.peer.closed();
  }

  #sees(providerId: string): void {
    this.#seenAt.set(providerId, this.#network.scheduler.now);
  }

  /** The log, but for what the mutant does to it. What it is told and tells is looked at on its way. */
  #seamed(log: SharedLog): Log {
    const propose = log.propose.bind(log);
    log.propose = (entry) => {
      this.#proposes(entry);
      const { tells } = this.#mutant;
      const told = tells === undefined ? entry : tells(entry, this.#isTicking);
      return told === null ? Promise.resolve(log.position) : propose(told);
    };
    const deliverTo = log.deliverTo.bind(log);
    let isReading = false;
    log.deliverTo = (deliver: Deliver, follower: LogFollower) => {
      const looking: Deliver = (entry, position) => {
        if (entry.kind === 'end' && entry.hub === log.hub) this.#vouches();
        deliver(entry, position);
        if (!isReading) this.#isTold(entry, log);
      };
      deliverTo(looking, {
        reached: (position) => {
          isReading = false;
          follower.reached(position);
        },
        leapt: (position) => {
          isReading = true;
          follower.leapt(position);
        },
        unchangedSince: () => follower.unchangedSince(),
      });
    };
    return log;
  }

  #proposes(entry: Entry): void {
    if (entry.kind !== 'detach') return;
    const seenAt = this.#seenAt.get(entry.providerId);
    if (seenAt === undefined) return;
    const silentMs = this.#network.scheduler.now - seenAt;
    const isCounted = seenAt > this.#troubledAt + RECOVERY_MS;
    this.#ends.proposed(entry, { silentMs, isCounted });
  }

  #isTold(entry: Entry, log: SharedLog): void {
    if (entry.kind === 'advertise') this.#sees(entry.record.providerId);
    else if (entry.kind === 'attach') this.#sees(entry.providerId);
    else if (entry.kind === 'detach' && entry.hub !== log.hub) this.#compareSilence(entry);
  }

  /** The others have declared it dead: up to here it speaks for those whose sessions they knew. */
  #vouches(): void {
    for (const providerId of this.sockets.keys())
      if (this.registry?.isAttached(providerId) === true) this.#sees(providerId);
  }

  #compareSilence({ providerId, hub, token }: Extract<Entry, { kind: 'detach' }>): void {
    const { clock, store } = this.registry!;
    const slot = store.find(providerId);
    if (slot === undefined || this.registry!.isAttached(providerId)) return;
    this.#ends.told({ hub, token }, this.name, clock.steady() - store.updatedAt(slot));
  }

  #tick(): void {
    const registry = this.registry!;
    this.#isTicking = true;
    registry.tick();
    this.#isTicking = false;
    for (const [providerId, { heardAt }] of this.sockets)
      if (registry.isCutOff || registry.clock.now - heardAt > HEARTBEAT_MS) this.close(providerId);
  }
}
