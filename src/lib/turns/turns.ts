import { Heap } from '../heap.js';

/** Whom work is charged to. */
export interface Account {
  /** Work done for it so far; the account with the least is next. */
  work: number;
}

/** A task of an account, done in steps, each of which yields the work it took. */
export type Task = Generator<number, void, undefined>;

/** Units of work per millisecond, for steps that are timed. */
export const WORK_PER_MS = 100_000;

/**
 * The same task, with each step charged the time it took if that exceeds what it yielded, because no estimate fits every
 * request.
 * @param now Milliseconds that never run backwards.
 */
export function* metered(task: Task, now: () => number): Task {
  for (;;) {
    const from = now();
    const { done, value } = task.next();
    const took = (now() - from) * WORK_PER_MS;
    yield Math.max(took, value ?? 0);
    if (done === true) return;
  }
}

interface Queue<Item> {
  readonly account: Account;
  /** In order of arrival. */
  readonly items: Set<Item>;
}

/**
 * Shares the event loop among accounts: a bounded amount of work per iteration, next for the account that has had least. Whoever asks for
 * much waits, and nobody else does.
 */
export class Turns<Item> {
  readonly #workPerTurn: number;
  readonly #accountOf: (item: Item) => Account;
  readonly #begin: (item: Item) => Task;
  readonly #now: () => number;
  readonly #queues = new Map<Account, Queue<Item>>();
  /** All accounts but the one whose task is in progress, which returns when that is done. */
  readonly #waiting = new Heap<Queue<Item>>((a, b) => a.account.work < b.account.work);
  /** The task in progress. It finishes before any other starts, so that only one task holds intermediate results. */
  #current: { task: Task; queue: Queue<Item> } | null = null;
  /** Work left in this turn. */
  #left: number;
  /** The work of the account served last: newcomers start there instead of catching up. */
  #served = 0;
  #isRunning = false;
  #isScheduled = false;

  /**
   * @param workPerTurn In the tasks' units. The last step may exceed it.
   * @param begin Creates the task of an item. Must not throw, and may add the item again.
   * @param now Milliseconds, to time what is done at once.
   */
  constructor(
    workPerTurn: number,
    accountOf: (item: Item) => Account,
    begin: (item: Item) => Task,
    now: () => number = () => performance.now(),
  ) {
    this.#now = now;
    this.#workPerTurn = workPerTurn;
    this.#left = workPerTurn;
    this.#accountOf = accountOf;
    this.#begin = begin;
  }

  /** Whether nothing is waiting or in progress. */
  get idle(): boolean {
    return this.#current === null && this.#queues.size === 0;
  }

  /**
   * Does something at once, if nothing waits and this turn has work left, and charges the time it takes.
   * @returns Whether it was done.
   */
  now(account: Account, act: () => void): boolean {
    if (!this.idle || this.#left <= 0) return false;
    this.#scheduleTurn();
    const from = this.#now();
    act();
    const took = (this.#now() - from) * WORK_PER_MS;
    account.work = Math.max(account.work, this.#served) + took;
    this.#left -= took;
    return true;
  }

  /** Queues an item, unless it is queued already. */
  add(item: Item): void {
    const account = this.#accountOf(item);
    const known = this.#queues.get(account);
    if (known !== undefined) {
      known.items.add(item);
      return;
    }
    const queue = { account, items: new Set([item]) };
    this.#queues.set(account, queue);
    this.#enqueue(queue);
  }

  /** Removes a queued item. */
  remove(item: Item): void {
    this.#queues.get(this.#accountOf(item))?.items.delete(item);
  }

  /** Works until this turn is used up; the rest follows automatically. */
  run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#left > 0 && this.#step());
    } finally {
      this.#isRunning = false;
    }
  }

  /** @returns False if there is nothing to do. */
  #step(): boolean {
    this.#current ??= this.#next();
    if (this.#current === null) return false;
    this.#scheduleTurn();
    const { task, queue } = this.#current;
    const { done, value } = task.next();
    if (done === true) {
      this.#current = null;
      this.#enqueue(queue);
    } else {
      queue.account.work += value;
      this.#left -= value;
    }
    return true;
  }

  #next(): { task: Task; queue: Queue<Item> } | null {
    for (let queue = this.#waiting.pop(); queue !== undefined; queue = this.#waiting.pop()) {
      const [item] = queue.items;
      if (item === undefined) {
        this.#queues.delete(queue.account);
        continue;
      }
      queue.items.delete(item);
      this.#served = Math.max(this.#served, queue.account.work);
      return { task: this.#begin(item), queue };
    }
    return null;
  }

  #enqueue(queue: Queue<Item>): void {
    queue.account.work = Math.max(queue.account.work, this.#served);
    this.#waiting.push(queue);
  }

  #scheduleTurn(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#left = this.#workPerTurn;
      this.run();
    });
  }
}
