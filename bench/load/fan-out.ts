import { providerAt } from '../data/providers.js';
import { EventReaderPool } from './event-readers.js';
import { startTiming, type Timing } from './gauge.js';
import { Goal } from './goal.js';
import { SessionPool } from './sessions.js';
import { SubscriberPool } from './subscribers.js';
import { clientFrame, RawWebSocket } from './web-socket.js';

const LIMIT_MS = 30_000;
/**
 * Only one subscriber in this many reads during the measurement, so that reading thousands of sockets does not dominate it. The others' data
 * waits in their sockets; they read it, and are checked, afterwards.
 */
const READS_AT_ONCE = 50;
/** The last subscribers read, too, because servers may serve subscribers in order. */
const LAST_READ_AT_ONCE = 5;
/** An attribute that only the updated provider has. */
const NETWORK = 'fan-out';

/** Many subscribers. */
type Pool = SubscriberPool | EventReaderPool;

/** Prepares updates, from one number up to but excluding another. */
type Begin = (from: number, to: number) => { publish: (update: number) => void; answered: Promise<void> };

/** One publisher and many subscribers of one stream, on a hub or on a bare server. */
export class FanOut {
  readonly #pool: Pool;
  readonly #begin: Begin;
  readonly #received: Uint32Array;
  readonly #end: () => Promise<void>;
  #sent = 0;
  #prompt = new Goal(0, '');
  #late = new Goal(0, '');
  /** The frame that a hub sent last. */
  lastFrame = Buffer.alloc(0);

  private constructor(pool: Pool, count: number, begin: Begin, end: () => Promise<void>) {
    this.#pool = pool;
    this.#begin = begin;
    this.#end = end;
    this.#received = new Uint32Array(count);
    pool.onEvents = (subscriber, bytes, start, end) => {
      const received = (this.#received[subscriber]! += 1);
      if (subscriber === 0) this.lastFrame = Buffer.from(bytes.subarray(start, end));
      if (received > this.#sent) this.#late.fail('a subscriber got more than was sent');
      else if (received === this.#sent) (this.#readsAtOnce(subscriber) ? this.#prompt : this.#late).add();
    };
  }

  /** Subscribers or event readers of a filter that one provider matches, whose session sends the updates. */
  static async onHub(port: number, host: string, count: number, as: 'hub' | 'events'): Promise<FanOut> {
    const sessions = new SessionPool(port, host);
    sessions.prepare(1);
    await sessions.openUpTo(1);
    const provider = (update: number) => ({
      ...providerAt(0),
      name: `update-${String(update % 2)}`,
      paymentsNetwork: NETWORK,
    });
    const first = sessions.beginUpdates(1);
    first.send(0, sessions.updateFrame(0, provider(0), 0));
    await first.answered.wait(LIMIT_MS);
    const pool =
      as === 'events'
        ? new EventReaderPool({ port, host, path: `/api/v1/events?payments_network=${NETWORK}` })
        : new SubscriberPool({ port, host, path: '/api/v1/ws' }, [{ payments_network: NETWORK }]);
    await pool.open(count);
    const begin: Begin = (from, to) => {
      const frames = Array.from({ length: to - from }, (_, at) =>
        sessions.updateFrame(0, provider(from + at), from + at),
      );
      const { send, answered } = sessions.beginUpdates(frames.length);
      return {
        publish: (update) => send(0, frames[update - from]!),
        answered: answered.wait(LIMIT_MS * 4),
      };
    };
    return new FanOut(pool, count, begin, () => sessions.close());
  }

  /** Sockets to which the bare server publishes. */
  static async onBareServer(port: number, host: string, count: number): Promise<FanOut> {
    const control = await new Promise<RawWebSocket>((resolve, reject) => {
      new RawWebSocket({ port, host, path: '/publish' }, 0, {
        opened: resolve,
        message: () => undefined,
        closed: (_, reason) => reject(new Error(reason)),
      });
    });
    const pool = new SubscriberPool({ port, host, path: '/subscribe' }, null);
    await pool.open(count);
    const frame = clientFrame('now');
    return new FanOut(
      pool,
      count,
      () => ({ publish: () => control.send(frame), answered: Promise.resolve() }),
      () => {
        control.cut();
        return Promise.resolve();
      },
    );
  }

  /** Publishes `count` updates, each after the previous one has arrived; resolves with the time until the last one has. */
  async run(updates: number): Promise<Timing & { deliveries: number }> {
    const { sockets } = this.#pool;
    const paused = sockets.filter(({ index }) => !this.#readsAtOnce(index));
    const promptCount = sockets.length - paused.length;
    for (const { socket } of paused) socket.pause();
    const { publish, answered } = this.#begin(this.#sent + 1, this.#sent + 1 + updates);
    const stop = startTiming();
    for (let update = 0; update < updates; update += 1) {
      this.#sent += 1;
      this.#prompt = new Goal(promptCount, 'subscribers got an update');
      this.#late = new Goal(paused.length, 'subscribers got an update');
      publish(this.#sent);
      await this.#prompt.wait(LIMIT_MS);
    }
    const timing = stop();
    await answered;
    for (const { socket } of paused) socket.resume();
    await this.#late.wait(LIMIT_MS);
    return { ...timing, deliveries: updates * sockets.length };
  }

  #readsAtOnce(subscriber: number): boolean {
    return subscriber % READS_AT_ONCE === 0 || subscriber >= this.#received.length - LAST_READ_AT_ONCE;
  }

  async close(): Promise<void> {
    await this.#pool.close();
    await this.#end();
  }
}
