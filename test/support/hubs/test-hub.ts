import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { loadConfig } from '../../../src/config.js';
import type { OpenLog } from '../../../src/registry/log.js';
import { type Hub, startHub } from '../../../src/server.js';
import type { Action, TestKey } from '../data/keys.js';
import { FakeClock } from '../fake-clock.js';
import { Hubs, sharing } from './hubs.js';
import { type SocketOptions, TestSocket } from '../clients/test-socket.js';
import { secureFetch, TRUSTED } from '../clients/tls.js';

export type TransportName = 'uws' | 'node';
export type CodecName = 'json' | 'msgpack';

export const TRANSPORTS: readonly TransportName[] = ['uws', 'node'];
export const CODEC_NAMES: readonly CodecName[] = ['json', 'msgpack'];

/** The advertisement that most tests send. */
export const ADVERTISEMENT = {
  ip_address: '192.168.1.100',
  country: 'SE',
  resources: { cpu: 4, memory: 8, storage: 40 },
};

export interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

/** What an error answer holds. */
export interface ErrorAnswer {
  code: string;
  message: string;
  timestamp: string;
}

const lastT = new WeakMap<FakeClock, number>();

/** A signing time that is later than every one before it on this clock. */
export function nextT(clock: FakeClock): number {
  const t = Math.max((lastT.get(clock) ?? 0) + 1, clock.wall());
  lastT.set(clock, t);
  return t;
}

/** Where a hub is several, the first of them: see `TestHub.first`. */
export function firstOf(hub: () => TestHub): () => TestHub {
  return () => hub().first;
}

/** A hub in this process, on a port of its own, with a clock that the test moves. */
export class TestHub {
  readonly clock: FakeClock;
  readonly hub: Hub;
  /** The hubs that this one really is; null where it is one. */
  readonly #hubs: Hubs | null;
  readonly #folder: string | null;
  readonly #tls: boolean;
  readonly #isFirst: boolean;
  readonly #sockets: Set<TestSocket>;

  private constructor(
    hub: Hub,
    hubs: Hubs | null,
    clock: FakeClock,
    { folder, tls }: { folder: string | null; tls: boolean },
    sockets: Set<TestSocket> | null = null,
  ) {
    this.hub = hub;
    this.clock = clock;
    this.#hubs = hubs;
    this.#folder = folder;
    this.#tls = tls;
    this.#isFirst = sockets !== null;
    this.#sockets = sockets ?? new Set();
  }

  /**
   * The first of the hubs, for what each counts, limits and keeps for itself: requests and sockets go there, and time passes, and the end comes, for
   * all of them.
   */
  get first(): TestHub {
    if (this.#hubs === null) return this;
    const hub = { ...this.hub, port: this.#hubs.firstPort };
    return new TestHub(hub, this.#hubs, this.clock, { folder: null, tls: this.#tls }, this.#sockets);
  }

  /**
   * Starts a hub with no rate limits, with SQLite in memory unless told otherwise. `TEST_HUB=etcd` and `TEST_HUB=etcd3` replace each hub
   * whose store the test does not choose by one or three hubs that share an etcd; each request goes to a random one of them.
   * @param settings Names without prefix, e.g. `{ EXPIRY: '5' }`.
   */
  static async start(
    settings: Record<string, string> = {},
    options: { clock?: FakeClock; file?: boolean; openLog?: OpenLog | undefined } = {},
  ): Promise<TestHub> {
    const clock = options.clock ?? new FakeClock();
    const folder = options.file === true ? mkdtempSync(join(tmpdir(), 'hub-')) : null;
    const environment: Record<string, string> = {
      DISCOVERY_HOST: '127.0.0.1',
      DISCOVERY_PORT: '0',
      DISCOVERY_RATE_LIMIT_PER_MINUTE: '0',
      DISCOVERY_MESSAGES_PER_MINUTE: '0',
      DISCOVERY_DRAIN_SECONDS: '0',
      DISCOVERY_DB_URL: folder === null ? 'sqlite:///:memory:' : `sqlite:///${join(folder, 'hub.db')}`,
    };
    for (const [name, value] of Object.entries(settings)) environment[`DISCOVERY_${name}`] = value;
    const config = loadConfig(environment, join(tmpdir(), 'there-is-no-such.env'));
    const isFree = options.openLog === undefined && folder === null && config.store === null;
    const hubs = isFree && sharing() > 0 ? await Hubs.start(config, clock) : null;
    const hub = hubs?.one ?? (await startHub(config, pino({ level: 'silent' }), clock, options.openLog));
    return new TestHub(hub, hubs, clock, { folder, tls: config.tls !== null });
  }

  get host(): string {
    return `127.0.0.1:${String(this.hub.port)}`;
  }

  get url(): string {
    return `${this.#tls ? 'https' : 'http'}://${this.host}`;
  }

  /** Lets time pass in steps of the hub's own ticks, with turns of the event loop in between. */
  async advance(ms: number): Promise<void> {
    for (let passed = 0; passed < ms;) {
      const step = Math.min(200, ms - passed);
      this.clock.advance(step);
      this.hub.tick();
      passed += step;
      if (passed % 1000 !== 0) continue;
      if (this.#hubs === null) await nextTurn();
      else await this.#hubs.settled();
    }
    await nextTurn();
    await this.#hubs?.settled();
  }

  /** A request whose answer is JSON. */
  async request<Body = unknown>(method: string, path: string, init: RequestInit = {}): Promise<Answer<Body>> {
    const ask = this.#tls ? secureFetch : fetch;
    await this.#hubs?.settled();
    const port = this.#isFirst || this.#hubs === null ? this.hub.port : this.#hubs.anyPort;
    const response = await ask(this.url.replace(/\d+$/, String(port)) + path, { ...init, method });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? null : JSON.parse(text)) as Body,
    };
  }

  get<Body = unknown>(path: string): Promise<Answer<Body>> {
    return this.request<Body>('GET', path);
  }

  /** Posts a signed advertisement over HTTP. */
  post<Body = unknown>(
    key: TestKey,
    providerId: string = key.publicKey,
    advertisement: object | string = ADVERTISEMENT,
    t = nextT(this.clock),
  ): Promise<Answer<Body>> {
    const body = typeof advertisement === 'string' ? advertisement : JSON.stringify(advertisement);
    return this.request<Body>('POST', '/api/v1/advertisements', {
      headers: { 'Content-Type': 'application/json', ...key.headers('advertise', providerId, t, body) },
      body,
    });
  }

  /** Withdraws over HTTP. */
  delete<Body = unknown>(
    key: TestKey,
    providerId: string = key.publicKey,
    t = nextT(this.clock),
  ): Promise<Answer<Body>> {
    return this.request<Body>('DELETE', `/api/v1/advertisements/${encodeURIComponent(providerId)}`, {
      headers: key.headers('withdraw', providerId, t, ''),
    });
  }

  /** Opens a WebSocket; `welcome` has not been read yet. */
  async connect(codec: CodecName = 'json', options: SocketOptions = {}): Promise<TestSocket> {
    const security = this.#tls ? { ca: TRUSTED } : {};
    const url = `${this.url.replace('http', 'ws')}/api/v1/ws`;
    const socket = await TestSocket.open(url, codec, { ...security, ...options });
    this.#sockets.add(socket);
    return socket;
  }

  /** Opens an authenticated session. */
  async session(
    key: TestKey,
    providerId: string = key.publicKey,
    codec: CodecName = 'json',
  ): Promise<TestSocket> {
    const socket = await this.connect(codec);
    const { nonce } = await socket.next('welcome');
    socket.send(this.authenticateFrame(key, providerId, nonce as string));
    await socket.next('authenticated');
    return socket;
  }

  authenticateFrame(
    key: TestKey,
    providerId: string,
    nonce: string,
    t = nextT(this.clock),
  ): Record<string, unknown> {
    const signature = key.sign('session', providerId, t, `${nonce}\n${this.host}`);
    return { type: 'authenticate', id: 1, provider_id: providerId, public_key: key.publicKey, t, signature };
  }

  /** A signed `advertise` or `withdraw` frame; a withdrawal has no advertisement. */
  signedFrame(
    action: Exclude<Action, 'session'>,
    key: TestKey,
    providerId: string = key.publicKey,
    advertisement: object | string = ADVERTISEMENT,
    t = nextT(this.clock),
  ): Record<string, unknown> {
    if (action === 'withdraw') {
      return { type: 'withdraw', id: 3, t, signature: key.sign('withdraw', providerId, t, '') };
    }
    const payload = typeof advertisement === 'string' ? advertisement : JSON.stringify(advertisement);
    return { type: 'advertise', id: 2, payload, t, signature: key.sign('advertise', providerId, t, payload) };
  }

  /** Closes all sockets of the test and the hub. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    await this.hub.stop();
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }
}
