import { COUNTRIES, type Provider, providerAt } from '../data/providers.js';
import { WrongAnswerError } from '../part.js';
import { paced, startTiming } from './gauge.js';
import { Goal } from './goal.js';
import { SessionPool } from './sessions.js';
import { cutAll } from './sockets.js';
import { SubscriberPool } from './subscribers.js';
import { clientFrame, RawWebSocket } from './web-socket.js';

const LIMIT_MS = 30_000;

/** How long each took, in milliseconds. */
export interface Latencies {
  times: Float64Array;
  cpuShare: number;
}

/** A hundred filters: two for each country. */
const FILTERS = COUNTRIES.flatMap((country) => [{ country }, { country, cpu: 8 }]);
const MARK = Buffer.from('"name":"update-');

/** Many sessions with changing providers, and subscribers that watch them. */
export class LiveUpdates {
  readonly #sessions: SessionPool;
  readonly #subscribers: SubscriberPool;
  readonly #providers: Provider[];

  private constructor(sessions: SessionPool, subscribers: SubscriberPool) {
    this.#sessions = sessions;
    this.#subscribers = subscribers;
    this.#providers = Array.from({ length: sessions.size }, (_, index) => providerAt(index));
  }

  static async open(
    port: number,
    host: string,
    watchedPort: number,
    counts: { providers: number; subscribers: number },
  ): Promise<LiveUpdates> {
    const sessions = new SessionPool(port, host);
    sessions.prepare(counts.providers);
    await sessions.openUpTo(counts.providers);
    await sessions.advertiseFrom(0);
    const subscribers = new SubscriberPool({ port: watchedPort, host, path: '/api/v1/ws' }, FILTERS);
    await subscribers.open(counts.subscribers);
    return new LiveUpdates(sessions, subscribers);
  }

  /** Sends one update of each of `count` providers, at a rate; every event has to arrive exactly once. */
  async run(input: {
    perSecond: number;
    first: number;
    updates: number;
  }): Promise<Latencies & { frameBytes: number }> {
    const { perSecond, first, updates } = input;
    const providers = this.#providers.slice(first, first + updates);
    const sessions = this.#sessions;
    const subscribers = this.#subscribers;
    const { length: subscriberCount } = subscribers.sockets;
    const frames = providers.map((provider, index) =>
      sessions.updateFrame(
        first + index,
        { ...provider, name: `update-${String(index).padStart(6, '0')}` },
        1,
      ),
    );
    let expected = 0;
    for (const { country, cpu } of providers) {
      for (let subscriber = 0; subscriber < subscriberCount; subscriber += 1) {
        const filter: { country: string; cpu?: number } = FILTERS[subscriber % FILTERS.length]!;
        if (filter.country === country && cpu >= (filter.cpu ?? 1)) expected += 1;
      }
    }
    const sentAt = new Float64Array(updates);
    const latencies = new Float64Array(expected);
    const arrived = new Goal(expected, 'events arrived');
    subscribers.onEvents = (subscriber, bytes, start, end) => {
      const now = performance.now();
      for (let at = bytes.indexOf(MARK, start); at >= 0 && at < end; at = bytes.indexOf(MARK, at)) {
        at += MARK.length;
        const update = Number(bytes.toString('latin1', at, at + 6));
        const filter: { country: string; cpu?: number } = FILTERS[subscriber % FILTERS.length]!;
        const { country, cpu } = providers[update]!;
        if (filter.country !== country || cpu < (filter.cpu ?? 1))
          arrived.fail('a subscriber was sent an event that does not match');
        latencies[arrived.count] = now - sentAt[update]!;
        arrived.add();
      }
    };
    const { send, answered } = sessions.beginUpdates(updates);
    const stop = startTiming();
    await paced(perSecond, updates, (index) => {
      sentAt[index] = performance.now();
      send(first + index, frames[index]!);
    });
    const { cpuShare } = stop();
    await answered.wait(LIMIT_MS);
    await arrived.wait(LIMIT_MS);
    if (subscribers.failure !== null)
      throw new WrongAnswerError(`a subscriber was closed: ${subscribers.failure}`);
    const frameBytes = frames.reduce((sum, frame) => sum + frame.length, 0) / frames.length;
    return { times: latencies, cpuShare, frameBytes };
  }

  async close(): Promise<void> {
    await this.#subscribers.close();
    await this.#sessions.close();
  }
}

/** Measures the round trip of messages to an echo server, over many sockets in turn. */
export async function echo(input: {
  port: number;
  host: string;
  sockets: number;
  perSecond: number;
  messages: number;
  bytes: number;
}): Promise<Latencies> {
  const { port, host, messages } = input;
  const sentAt = new Float64Array(input.sockets);
  const latencies = new Float64Array(messages);
  const arrived = new Goal(messages, 'messages came back');
  const opened = new Goal(input.sockets, 'sockets were opened');
  const sockets = Array.from(
    { length: input.sockets },
    (_, index) =>
      new RawWebSocket({ port, host, path: '/echo' }, index, {
        opened: () => opened.add(),
        message: () => {
          latencies[arrived.count] = performance.now() - sentAt[index]!;
          arrived.add();
        },
        closed: (_socket, reason) => arrived.fail(reason),
      }),
  );
  await opened.wait(LIMIT_MS);
  const frame = clientFrame('x'.repeat(input.bytes));
  const stop = startTiming();
  await paced(input.perSecond, messages, (at) => {
    const index = at % sockets.length;
    sentAt[index] = performance.now();
    sockets[index]!.send(frame);
  });
  const { cpuShare } = stop();
  await arrived.wait(LIMIT_MS);
  await cutAll(sockets.map(({ socket }) => socket));
  return { times: latencies, cpuShare };
}
