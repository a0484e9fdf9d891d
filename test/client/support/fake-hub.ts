import type {
  ClientSocket,
  PublishedAdvertisement,
  SocketClosure,
  SocketListener,
  WebSocketFactory,
} from '../../../src/client/index.js';

export type SentFrame = Record<string, unknown> & { type: string };

export const NONCE = 'ab'.repeat(32);

/** The hub's end of one socket, played by a test. */
export class FakePeer implements ClientSocket {
  readonly url: string;
  readonly subprotocol: string;
  /** What the client sent, oldest first. */
  readonly sent: SentFrame[] = [];
  /** How the client ended it, if it did. */
  ending: 'closed' | 'terminated' | null = null;
  readonly #listener: SocketListener;

  /** What its clock showed last. */
  #time = '2026-01-01T00:00:00.000Z';

  constructor(url: string, subprotocol: string, listener: SocketListener) {
    this.url = url;
    this.subprotocol = subprotocol;
    this.#listener = listener;
  }

  send(data: string | Uint8Array): void {
    this.sent.push(JSON.parse(data as string) as SentFrame);
  }

  close(): void {
    this.ending ??= 'closed';
  }

  terminate(): void {
    this.ending = 'terminated';
  }

  /** The last frame of a type that the client sent. */
  last(type: string): SentFrame {
    const frame = this.sent.filter((one) => one.type === type).at(-1);
    if (frame === undefined) throw new Error(`the client sent no ${type}`);
    return frame;
  }

  say(frame: object): void {
    this.#listener.message(JSON.stringify(frame));
  }

  sayRaw(data: string | Uint8Array): void {
    this.#listener.message(data);
  }

  ping(): void {
    this.#listener.alive();
  }

  end(code: number, closure: Partial<SocketClosure> = {}): void {
    this.#listener.closed({ code, reason: '', ...closure });
  }

  welcome(overrides: { server_time?: string } & Record<string, unknown> = {}): void {
    this.#time = overrides.server_time ?? this.#time;
    this.say({
      type: 'welcome',
      version: 1,
      epoch: 'e1',
      nonce: NONCE,
      heartbeat_seconds: 30,
      expiry_seconds: 300,
      max_frame_bytes: 65536,
      server_time: this.#time,
      ...overrides,
    });
  }

  /** Accepts the client's authentication. */
  authenticate(advertisement: PublishedAdvertisement | null = null): void {
    const { id, provider_id } = this.last('authenticate');
    this.say({ type: 'authenticated', id, provider_id, advertisement });
  }

  /** Refuses the client's last request of a type. */
  refuse(type: string, code: string, message = 'because', timestamp = this.#time): void {
    const { id } = this.last(type);
    this.say({ type: 'error', id, code, message, timestamp });
  }

  /** Answers the client's last `advertise`. */
  publish(): PublishedAdvertisement {
    const { id, payload } = this.last('advertise');
    const { provider_id } = this.last('authenticate');
    const advertisement = publishedAs(provider_id as string, JSON.parse(payload as string) as object);
    this.say({ type: 'advertised', id, advertisement });
    return advertisement;
  }
}

/** Stands in for the network: keeps every socket that a client opens. */
export class FakeHub {
  readonly peers: FakePeer[] = [];
  readonly webSocket: WebSocketFactory = (url, subprotocol, listener) => {
    const peer = new FakePeer(url, subprotocol, listener);
    this.peers.push(peer);
    return peer;
  };

  /** The newest socket. */
  get peer(): FakePeer {
    return this.peers.at(-1)!;
  }
}

/** A published advertisement. */
export function publishedAs(providerId: string, overrides: object = {}): PublishedAdvertisement {
  return {
    provider_id: providerId,
    ip_address: '192.168.1.100',
    country: 'SE',
    resources: { cpu: 4, memory: 8, storage: 40 },
    platform: null,
    pricing: null,
    name: null,
    provider_name: null,
    payments_network: null,
    attributes: null,
    endpoint: null,
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
    status: 'live',
    expires_at: '2026-01-01T00:05:00.000Z',
    verified: true,
    ip_confirmed: false,
    ...overrides,
  };
}
