import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { threadScript } from '../../../lib/thread-script.js';
import { RoundRobin } from '../../../lib/turns/round-robin.js';
import type { SignatureScheme } from '../../../protocol/schemes/table.js';
import { packBatch, type SignedBytes } from './batch.js';

/**
 * Resolves with whether a signature is valid; rejects only with `VerifierUnavailableError`. `origin` is the client address; those without
 * limits share a queue.
 */
export type VerifySignature = (
  scheme: SignatureScheme,
  bytes: Uint8Array,
  publicKey: string,
  signature: string,
  origin?: string | null,
) => Promise<boolean>;

/** A signature could not be checked. The message says why. */
export class VerifierUnavailableError extends Error {
  override readonly name = 'VerifierUnavailableError';
}

const MAX_WAITING = 20_000;
/** Per address, so that others still get in. */
const MAX_WAITING_OF_ONE = 5_000;
/** The queue of addresses that are not limited; no address is the empty string. */
const UNLIMITED = '';
/** Small enough that the first results are used while the next are computed. */
const MAX_BATCH = 16;
/** One batch in progress, and the next without a pause. */
const BATCHES_A_THREAD = 3;
/** Leaves a core to the event loop and the mirror. */
const THREADS = Math.max(1, Math.min(4, availableParallelism() - 1));
/** Limits a thread's young generation, in megabytes: it only has short-lived objects, and would use all it gets. */
const YOUNG_GENERATION_MB = 2;

interface Job extends SignedBytes {
  resolve: (valid: boolean) => void;
  reject: (error: VerifierUnavailableError) => void;
}

/** The part of a worker thread that is used. */
export type VerifierWorker = Pick<Worker, 'on' | 'once' | 'postMessage' | 'ref' | 'unref' | 'terminate'>;

interface Thread {
  readonly worker: VerifierWorker;
  /** Batches it has not answered yet, in order. */
  readonly batches: Job[][];
}

/**
 * Verifies signatures in threads, taking turns by client address, so that nobody waits for another's flood. Each event-loop iteration hands
 * over all its signatures in batches, so that a crowd of returning providers costs the loop little time and garbage.
 */
export class Verifier {
  /** By client address. */
  readonly #waiting = new RoundRobin<Job>();
  #underWay = 0;
  #scheduled = false;
  readonly #threads: Thread[] = [];

  /** How many signatures are waiting or being verified. */
  get pending(): number {
    return this.#waiting.size + this.#underWay;
  }

  /** @throws VerifierUnavailableError (as a rejection) if too many are waiting, or the thread died. */
  readonly verify: VerifySignature = (scheme, bytes, publicKey, signature, origin = null) => {
    if (!scheme.isAcceptable(publicKey, signature)) return Promise.resolve(false);
    if (this.pending >= MAX_WAITING)
      return Promise.reject(new VerifierUnavailableError('too many signatures are waiting to be verified'));
    const key = origin ?? UNLIMITED;
    if (key !== UNLIMITED && this.#waiting.of(key) >= MAX_WAITING_OF_ONE)
      return Promise.reject(
        new VerifierUnavailableError('too many signatures from this address are waiting to be verified'),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.add(key, { scheme, bytes, publicKey, signature, resolve, reject });
      // A full batch need not wait.
      if (this.#waiting.size === MAX_BATCH) this.#handOver();
      else this.#schedule();
    });
  };

  /** Stops the threads and rejects what they have not answered. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  /** Starts a thread, also to replace one that died. */
  protected spawnWorker(): VerifierWorker {
    return new Worker(threadScript('verifier'), {
      name: 'verifier',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#handOver();
    });
  }

  #handOver(): void {
    while (this.#waiting.size > 0) {
      const thread = this.#freeThread();
      if (thread === null) return;
      const batch: Job[] = [];
      while (batch.length < MAX_BATCH && this.#waiting.size > 0) batch.push(this.#waiting.next()!);
      this.#underWay += batch.length;
      const packed = packBatch(batch);
      thread.batches.push(batch);
      // An idle thread must not keep the process alive.
      thread.worker.ref();
      thread.worker.postMessage(packed, [packed.buffer]);
    }
  }

  /** The least busy thread; null if all are busy enough. */
  #freeThread(): Thread | null {
    let best: Thread | null = null;
    for (const thread of this.#threads) {
      if (best === null || thread.batches.length < best.batches.length) best = thread;
    }
    if (this.#threads.length < THREADS && best?.batches.length !== 0) return this.#start();
    return best !== null && best.batches.length < BATCHES_A_THREAD ? best : null;
  }

  #start(): Thread {
    const worker = this.spawnWorker();
    const thread: Thread = { worker, batches: [] };
    this.#threads.push(thread);
    worker.on('message', (answers: Uint8Array) => {
      this.#answer(thread, answers);
    });
    worker.once('error', (error: Error) => {
      this.#lose(thread, `the thread that verifies signatures died: ${error.message}`);
    });
    worker.once('exit', () => {
      this.#lose(thread, 'the thread that verifies signatures has ended');
    });
    return thread;
  }

  #answer({ worker, batches }: Thread, answers: Uint8Array): void {
    const batch = batches.shift() ?? [];
    this.#underWay -= batch.length;
    if (batches.length === 0) worker.unref();
    batch.forEach((job, index) => {
      job.resolve(answers[index] === 1);
    });
    this.#handOver();
  }

  #lose(thread: Thread, reason: string): void {
    const index = this.#threads.indexOf(thread);
    if (index < 0) return;
    this.#threads.splice(index, 1);
    for (const job of thread.batches.splice(0).flat()) {
      this.#underWay -= 1;
      job.reject(new VerifierUnavailableError(reason));
    }
    this.#schedule();
  }
}
