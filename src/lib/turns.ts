import { Heap } from './heap.js';

/** Whom work is charged to. */
export interface Account {
  /** Work that was done for it; who has had least is next. */
  work: number;
}

/** One task of an account: it yields how much work it has done since it was last asked, and is done a bit at a time. */
export type Task = Generator<number, void, undefined>;

/** Units of work in a millisecond, where work is measured. */
export const WORK_PER_MS = 100_000;

/**
 * The same task, each step counted as the time that it took, where that is more than it says: nobody foresees what every
 * question costs.
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
  /** In the order in which they came. */
  readonly items: Set<Item>;
}

/**
 * Shares the event loop among accounts: so much work in each of its turns, for the account next that has had least. So
 * whoever asks for much waits for it, and nobody else does.
 */
export class Turns<Item> {
  readonly #workPerTurn: number;
  readonly #accountOf: (item: Item) => Account;
  readonly #begin: (item: Item) => Task;
  readonly #now: () => number;
  readonly #queues = new Map<Account, Queue<Item>>();
  /** All of them but the one whose task is under way, which is put back when that is done. */
  readonly #waiting = new Heap<Queue<Item>>((a, b) => a.account.work < b.account.work);
  /** What was begun is ended before anything else, so that only one task at a time holds what it has gathered. */
  #current: { task: Task; queue: Queue<Item> } | null = null;
  /** What may still be done in this turn. */
  #left: number;
  /** The work of the account that was served last: whoever comes anew does not get to catch up with it. */
  #served = 0;
  #isRunning = false;
  #isScheduled = false;

  /**
   * @param workPerTurn In units of the tasks. A task ends its step, so that a turn may do one step more.
   * @param begin Makes the task of an item. It must not throw, and may add the item again.
   * @param now Milliseconds, by which is measured what is done at once.
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

  /** Whether nothing waits and nothing is under way. */
  get idle(): boolean {
    return this.#current === null && this.#queues.size === 0;
  }

  /**
   * Does something at once, if nothing waits and there is work left in this turn, and charges it by the time that it takes.
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

  /** Has an item wait for its turn, unless it does already. */
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

  /** Takes out an item that waits. */
  remove(item: Item): void {
    this.#queues.get(this.#accountOf(item))?.items.delete(item);
  }

  /** Does what is left to do in this turn; the rest follows by itself. */
  run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#left > 0 && this.#step());
    } finally {
      this.#isRunning = false;
    }
  }

  /** @returns False when there is nothing to do. */
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
