import { EtcdError, type EtcdNode, type EtcdStream } from '../../src/registry/etcd/client/endpoint.js';
import type { Method, WatchAnswer } from '../../src/registry/etcd/client/messages.js';
import type { Draft, Fields, Message } from '../../src/registry/etcd/client/protobuf.js';
import type { ProcessTimers, Scheduler } from './scheduler.js';
import type { Store, StoreEvent } from './store.js';

const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

/** What goes wrong between hubs and the store. */
export interface Network {
  readonly scheduler: Scheduler;
  readonly store: Store;
  readonly random: () => number;
  /** Whether most nodes of the store are there. */
  isUp: boolean;
  /** Share of requests whose answer gets lost. */
  loss: number;
  /** Delivers parts of a revision as if they were all of it. */
  readonly breaksRevisions: boolean;
  /** Called when there is a new revision. */
  readonly watches: Set<() => void>;
}

/** The way of one hub to the store. */
export interface Line {
  readonly timers: ProcessTimers;
  isCut: boolean;
}

/** A node of the store, as one hub reaches it. */
export class SimulatedNode implements EtcdNode {
  readonly #network: Network;
  readonly #line: Line;
  /** How often the store had been lost when the connection was made: a line that is cut makes no other. */
  #losses: number;

  constructor(network: Network, line: Line) {
    this.#network = network;
    this.#line = line;
    this.#losses = network.store.losses;
  }

  call<Request extends Fields, Response extends Fields>(
    { path }: Method<Request, Response>,
    message: Draft<Request>,
    _token: string | null,
    timeoutMs: number,
  ): Promise<Message<Response>> {
    const { random, scheduler, store } = this.#network;
    if (!this.#line.isCut) this.#losses = store.losses;
    const losses = this.#losses;
    return new Promise((resolve, reject) => {
      const callOff = this.#line.timers.after(timeoutMs, () => {
        reject(new EtcdError('no answer in time', DEADLINE_EXCEEDED));
      });
      const arrive = (): void => {
        if (!this.#network.isUp || store.losses !== losses) return;
        const answer = this.#answer(path, message);
        if (random() < this.#network.loss) return;
        this.#line.timers.after(1 + 5 * random(), () => {
          if (this.#line.isCut) return;
          callOff();
          if (answer instanceof Error) reject(answer);
          else resolve(answer as Message<Response>);
        });
      };
      if (!this.#line.isCut) scheduler.after(1 + 5 * random(), arrive);
      // What was on its way lands when nobody expects it any more.
      else if (random() < 0.3) scheduler.after(1000 + 20_000 * random(), arrive);
    });
  }

  exchange<Request extends Fields, Response extends Fields>(
    method: Method<Request, Response>,
    message: Draft<Request>,
    token: string | null,
    timeoutMs: number,
  ): Promise<Message<Response>> {
    return this.call(method, message, token, timeoutMs);
  }

  open<Request extends Fields, Response extends Fields>(
    _method: Method<Request, Response>,
    _token: string | null,
    onMessage: (message: Message<Response>) => void,
    onEnd: (error: EtcdError) => void,
  ): EtcdStream<Draft<Request>> {
    // Watches are all that hubs keep open.
    const say = onMessage as unknown as (answer: WatchAnswer) => void;
    return new SimulatedWatch(this.#network, this.#line, say, onEnd);
  }

  close(): void {
    return;
  }

  #answer(path: string, message: unknown): unknown {
    try {
      return this.#network.store.answer(path, message);
    } catch (error) {
      if (error instanceof EtcdError) return error;
      throw error;
    }
  }
}

interface WatchRequest {
  create?: { startRevision?: number };
  progress?: object;
}

/** A watch over all that there is. What it says comes in order, or not at all any more. */
class SimulatedWatch implements EtcdStream<WatchRequest> {
  readonly #network: Network;
  readonly #line: Line;
  readonly #onMessage: (answer: WatchAnswer) => void;
  readonly #onEnd: (error: EtcdError) => void;
  readonly #losses: number;
  /** The revision that is said next; 0 before it was made. */
  #next = 0;
  #isOver = false;
  /** What is on its way. Whichever message arrives, it is the first of these: a process that stood still gets them in order, too. */
  readonly #underWay: WatchAnswer[] = [];
  /** When the last message arrives. */
  #arrivesAt = 0;
  #isLooking = false;

  constructor(
    network: Network,
    line: Line,
    onMessage: (answer: WatchAnswer) => void,
    onEnd: (error: EtcdError) => void,
  ) {
    this.#network = network;
    this.#line = line;
    this.#onMessage = onMessage;
    this.#onEnd = onEnd;
    this.#losses = network.store.losses;
  }

  /** Whether the connection is there: it ends with the content of the store. */
  get #isConnected(): boolean {
    const { isUp, store } = this.#network;
    return isUp && store.losses === this.#losses;
  }

  send(request: WatchRequest): void {
    if (this.#line.isCut) return;
    this.#network.scheduler.after(1 + 2 * this.#network.random(), () => {
      if (this.#isOver || !this.#isConnected) return;
      if (request.create !== undefined) this.#create(request.create.startRevision ?? 1);
      else if (this.#next > 0) this.#progress();
    });
  }

  cancel(): void {
    this.#isOver = true;
    this.#network.watches.delete(this.#look);
  }

  #create(startRevision: number): void {
    this.#next = startRevision;
    if (this.#isForgotten()) return;
    this.#say({ created: true });
    this.#network.watches.add(this.#look);
    this.#look();
  }

  /** It may take its time. */
  readonly #look = (): void => {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { scheduler, random } = this.#network;
    scheduler.after(random() < 0.02 ? 2000 * random() : 30 * random(), () => {
      this.#isLooking = false;
      this.#sayMore();
    });
  };

  #progress(): void {
    this.#sayMore();
    if (!this.#isForgotten()) this.#say({});
  }

  /** Whether what is said next is compacted: then the watch is over. */
  #isForgotten(): boolean {
    const { compacted } = this.#network.store;
    if (this.#next > compacted) return false;
    this.#say({ canceled: true, compactRevision: compacted });
    return true;
  }

  /** Looks for what has happened, which is often some revisions together. */
  #sayMore(): void {
    if (this.#isOver || this.#network.store.losses !== this.#losses || this.#isForgotten()) return;
    const { store, random, breaksRevisions } = this.#network;
    const events: StoreEvent[] = [];
    for (; this.#next <= store.revision; this.#next += 1)
      events.push(...(store.history.get(this.#next) ?? []));
    while (events.length > 0) {
      const isWhole = random() < 0.5;
      const part = events.splice(0, isWhole ? events.length : 1 + Math.floor(random() * events.length));
      this.#say({ events: part, fragment: events.length > 0 && !breaksRevisions });
    }
  }

  #say(answer: Partial<WatchAnswer>): void {
    const { scheduler, random } = this.#network;
    const header = { clusterId: 1n, memberId: 1n, revision: Math.max(0, this.#next - 1) };
    const whole: WatchAnswer = {
      header,
      created: false,
      canceled: false,
      compactRevision: 0,
      cancelReason: '',
      fragment: false,
      events: [],
      ...answer,
    };
    this.#arrivesAt = Math.max(this.#arrivesAt, scheduler.now + Math.ceil(1 + 4 * random()));
    this.#underWay.push(whole);
    this.#line.timers.after(this.#arrivesAt - scheduler.now, () => {
      const next = this.#underWay.shift()!;
      if (this.#isOver) return;
      if (this.#line.isCut || !this.#isConnected) {
        this.cancel();
        // The other side may notice it, or only hear nothing.
        if (random() < 0.5) this.#onEnd(new EtcdError('the connection broke', UNAVAILABLE));
      } else {
        this.#onMessage(next);
      }
    });
  }
}
