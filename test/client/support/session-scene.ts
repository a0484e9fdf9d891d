import {
  type AdvertisementInput,
  type DiscoveryError,
  keyFromSeed,
  ProviderSession,
  type ProviderSessionOptions,
  type PublishedAdvertisement,
} from '../../../src/client/index.js';
import { FakeHub } from './fake-hub.js';
import { FakeTime } from './fake-time.js';

export const KEY = keyFromSeed('f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98');

export const ADVERTISEMENT: AdvertisementInput = {
  ip_address: '192.168.1.100',
  country: 'SE',
  resources: { cpu: 4, memory: 8, storage: 40 },
};

/** The advertisement with another number of cores. */
export function cores(cpu: number): AdvertisementInput {
  return { ...ADVERTISEMENT, resources: { cpu, memory: 8, storage: 40 } };
}

export interface SessionScene {
  hub: FakeHub;
  time: FakeTime;
  session: ProviderSession;
  problems: DiscoveryError[];
  published: PublishedAdvertisement[];
  /** How many advertisements were sent over the newest socket. */
  readonly sent: number;
}

/** A session that dials a hub played by the test. */
export function beginSession(options: Partial<ProviderSessionOptions> = {}): SessionScene {
  const hub = new FakeHub();
  const time = new FakeTime();
  const session = new ProviderSession('https://Hub.Example:443', {
    key: KEY,
    providerId: 'p1',
    advertisement: ADVERTISEMENT,
    webSocket: hub.webSocket,
    scheduler: time,
    random: () => 0.5,
    ...options,
  });
  const problems: DiscoveryError[] = [];
  const published: PublishedAdvertisement[] = [];
  session.on('problem', (error) => problems.push(error));
  session.on('published', (advertisement) => published.push(advertisement));
  session.start();
  return {
    hub,
    time,
    session,
    problems,
    published,
    get sent() {
      return hub.peer.sent.filter(({ type }) => type === 'advertise').length;
    },
  };
}

/** Lets everything happen that waits for nothing but its turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
