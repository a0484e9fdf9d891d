import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type { Request, RequestKind, Requests, Results } from './messages.js';

/** How many workers try a request before it fails. */
const MAX_ATTEMPTS = 3;
/** The wait before the second attempt, in milliseconds; it grows tenfold with each. */
const FIRST_BACKOFF_MS = 50;

interface Exchange {
  kind: RequestKind;
  resolve(result: unknown): void;
  reject(reason: Error): void;
}

/**
 * Sends one request at a time to a worker, which is replaced if it dies. Requests must be repeatable. The worker exits after `close`.
 */
export class WorkerChannel {
  /** How many workers have died. */
  deaths = 0;
  readonly #spawn: () => Worker;
  readonly #onDeath: (reason: Error) => void;
  #worker: Worker | null = null;
  #exchange: Exchange | null = null;

  /** `onDeath` is called for each worker that dies, before the request is repeated. */
  constructor(spawn: () => Worker, onDeath: (reason: Error) => void) {
    this.#spawn = spawn;
    this.#onDeath = onDeath;
  }

  /**
   * Resolves with the worker's answer.
   * @throws Error if one worker after another died.
   */
  async request<K extends RequestKind>(kind: K, body: Requests[K]): Promise<Results[K]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await this.#exchangeWith({ kind, body } as Request)) as Results[K];
      } catch (error) {
        if (attempt === MAX_ATTEMPTS) throw error;
        await delay(FIRST_BACKOFF_MS * 10 ** (attempt - 1));
      }
    }
  }

  async #exchangeWith(request: Request): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#exchange = { kind: request.kind, resolve, reject };
      this.#worker ??= this.#start();
      this.#worker.postMessage(request);
    });
  }

  #start(): Worker {
    const worker = this.#spawn();
    let reason: Error | null = null;
    worker.on('message', (result: unknown) => {
      // It exits by itself afterwards, which does not count as dying.
      if (this.#exchange?.kind === 'close') this.#worker = null;
      this.#exchange?.resolve(result);
      this.#exchange = null;
    });
    worker.once('error', (error: Error) => {
      reason = error;
    });
    worker.once('exit', (code) => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.deaths += 1;
      const death = reason ?? new Error(`it exited with code ${String(code)}`);
      this.#onDeath(death);
      this.#exchange?.reject(death);
      this.#exchange = null;
    });
    return worker;
  }
}
