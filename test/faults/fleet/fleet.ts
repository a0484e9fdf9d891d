import { TestKey } from '../../support/data/keys.js';
import { ADVERTISEMENT } from '../../support/hubs/test-hub.js';
import { clientFrame, RawWebSocket } from '../../../bench/load/web-socket.js';

/** What has become of a fleet's providers. */
export interface FleetState {
  /** Authenticated, with an advertisement on file. */
  live: number;
  /** Advertisements that the hub has acknowledged. */
  acknowledged: number;
  /** Ends of connections by close code. */
  closes: Record<number, number>;
}

/** About as large as an advertisement can be. */
const LARGE = {
  ...ADVERTISEMENT,
  resources: {
    ...{ cpu: 4096, memory: 65_536, storage: 10_000_000 },
    ...Object.fromEntries(Array.from({ length: 13 }, (_, n) => [`resource_with_a_long_name_${n}`, 1])),
  },
  pricing: Object.fromEntries(
    Array.from({ length: 10 }, (_, n) => [`price_with_a_long_name_${n}`, 'x'.repeat(64)]),
  ),
};

interface Answer {
  type: string;
  nonce?: string;
  message?: string;
  advertisement?: object | null;
}

/** Providers with live sessions. Those that lose theirs wait until they are told to join again. */
export class Fleet {
  readonly #providers: Provider[];
  readonly #closes: Record<number, number> = {};
  #acknowledged = 0;
  #failure: Error | null = null;
  #watching: (() => void) | null = null;
  /** Updates that are still to be sent. */
  #updates = 0;

  /** Makes the keys, which takes most of the time. */
  constructor(size: number) {
    this.#providers = Array.from({ length: size }, (_, index) => new Provider(index, this));
  }

  /** Has all that have no session open one, in this moment. Resolves when all are live; rejects when one is lost. */
  async join(port: number): Promise<void> {
    for (const provider of this.#providers) provider.join(port);
    await this.#until(() => this.state().live === this.#providers.length);
  }

  /** Has the live ones advertise anew, so many times in all. Resolves when all of it is acknowledged. */
  async update(times: number): Promise<void> {
    const wanted = this.#acknowledged + times;
    this.#updates = times;
    for (const provider of this.#providers) this.next(provider);
    await this.#until(() => this.#acknowledged >= wanted);
  }

  state(): FleetState {
    const live = this.#providers.filter(({ state }) => state === 'live').length;
    return { live, acknowledged: this.#acknowledged, closes: { ...this.#closes } };
  }

  leave(): void {
    for (const provider of this.#providers) provider.leave();
  }

  // ---- what providers call ----------------------------------------------------------------------------------

  acknowledged(provider: Provider): void {
    this.#acknowledged += 1;
    this.next(provider);
    this.changed();
  }

  next(provider: Provider): void {
    if (this.#updates === 0) return;
    this.#updates -= 1;
    provider.advertise();
  }

  closed(code: number): void {
    this.#closes[code] = (this.#closes[code] ?? 0) + 1;
  }

  failed(reason: string): void {
    this.#failure ??= new Error(reason);
    this.changed();
  }

  changed(): void {
    this.#watching?.();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => (this.#watching = resolve));
    }
  }
}

class Provider {
  state: 'out' | 'joining' | 'live' = 'out';
  readonly #key = new TestKey();
  readonly #index: number;
  readonly #fleet: Fleet;
  #socket: RawWebSocket | null = null;
  #port = 0;
  #t = 0;

  constructor(index: number, fleet: Fleet) {
    this.#index = index;
    this.#fleet = fleet;
  }

  join(port: number): void {
    if (this.state !== 'out') return;
    this.state = 'joining';
    this.#port = port;
    const address = { port, host: '127.0.0.1', path: '/api/v1/ws' };
    this.#socket = new RawWebSocket(address, this.#index, {
      opened: () => {
        // The hub speaks first.
      },
      message: (_, bytes, start, end) => {
        if (this.state !== 'out') this.#received(JSON.parse(bytes.toString('utf8', start, end)) as Answer);
      },
      closed: (_, reason, code) => {
        if (this.state === 'joining') {
          this.#fleet.failed(`a provider was not let in; ${reason}`);
        }
        this.state = 'out';
        this.#fleet.closed(code);
      },
    });
  }

  advertise(): void {
    const t = this.#nextT();
    const payload = JSON.stringify({ ...LARGE, name: `provider ${this.#index} at ${t}` });
    const signature = this.#key.sign('advertise', this.#key.publicKey, t, payload);
    this.#send({ type: 'advertise', id: 2, payload, t, signature });
  }

  leave(): void {
    this.#socket?.cut();
    this.state = 'out';
  }

  #received(answer: Answer): void {
    if (answer.type === 'welcome') {
      this.#authenticate(answer.nonce!);
    } else if (answer.type === 'authenticated' && answer.advertisement === null) {
      this.advertise();
    } else if (answer.type === 'authenticated') {
      this.#becomeLive();
    } else if (answer.type === 'advertised') {
      this.#becomeLive();
      this.#fleet.acknowledged(this);
    } else {
      this.#fleet.failed(`a provider was sent ${JSON.stringify(answer)}`);
    }
  }

  #becomeLive(): void {
    this.state = 'live';
    this.#fleet.changed();
  }

  #authenticate(nonce: string): void {
    const id = this.#key.publicKey;
    const t = this.#nextT();
    const signature = this.#key.sign('session', id, t, `${nonce}\n127.0.0.1:${this.#port}`);
    this.#send({ type: 'authenticate', id: 1, provider_id: id, t, signature });
  }

  #send(frame: object): void {
    this.#socket?.send(clientFrame(JSON.stringify(frame)));
  }

  #nextT(): number {
    this.#t = Math.max(this.#t + 1, Date.now());
    return this.#t;
  }
}
