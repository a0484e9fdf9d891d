import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Lines } from '../../../lib/lines.js';
import type { SignatureScheme } from '../../../protocol/schemes/table.js';
import { packBatch, type SignedBytes } from './batch.js';

/**
 * Says whether a signature is valid; rejects with `VerifierUnavailableError` only. `origin` is the client address that it
 * came from; those that are not limited share a place in the turns.
 */
export type VerifySignature = (
  scheme: SignatureScheme,
  bytes: Uint8Array,
  publicKey: string,
  signature: string,
  origin?: string | null,
) => Promise<boolean>;

/** The signature was not looked at. The message says why. */
export class VerifierUnavailableError extends Error {
  override readonly name = 'VerifierUnavailableError';
}

const MAX_WAITING = 20_000;
/** Of one address: others still get in while it waits. */
const MAX_WAITING_OF_ONE = 5_000;
/** Where those wait whose address is not limited; no address is empty. */
const UNLIMITED = '';
/** Few enough that the first answers are used while the next are worked on. */
const MAX_BATCH = 16;
/** One that is worked on, and what follows without a pause. */
const BATCHES_A_THREAD = 3;
/** The event loop and the mirror have a core left to them. */
const THREADS = Math.max(1, Math.min(4, availableParallelism() - 1));
/** Megabytes of short-lived objects that a thread may pile up: it has nothing else, and would use all it gets. */
const YOUNG_GENERATION_MB = 2;

interface Job extends SignedBytes {
  resolve: (valid: boolean) => void;
  reject: (error: VerifierUnavailableError) => void;
}

/** What is needed of a thread. */
export type VerifierWorker = Pick<Worker, 'on' | 'once' | 'postMessage' | 'ref' | 'unref' | 'terminate'>;

interface Thread {
  readonly worker: VerifierWorker;
  /** What it has been given and not answered, in order. */
  readonly batches: Job[][];
}

/**
 * Verifies signatures in threads, those of the client addresses in turns, so that nobody waits for another's flood. They are
 * handed over by the batch, all that one turn of the event loop has brought, so that a crowd of providers coming back
 * costs it little, in time as in garbage.
 */
export class Verifier {
  /** By client address. */
  readonly #waiting = new Lines<Job>();
  #underWay = 0;
  #scheduled = false;
  readonly #threads: Thread[] = [];

  /** Signatures that wait or are looked at. */
  get pending(): number {
    return this.#waiting.size + this.#underWay;
  }

  /** @throws VerifierUnavailableError (as a rejection) when too many wait, or the thread died over it. */
  readonly verify: VerifySignature = (scheme, bytes, publicKey, signature, origin = null) => {
    if (!scheme.isAcceptable(publicKey, signature)) return Promise.resolve(false);
    if (this.pending >= MAX_WAITING)
      return Promise.reject(new VerifierUnavailableError('too many signatures wait to be verified'));
    const key = origin ?? UNLIMITED;
    if (key !== UNLIMITED && this.#waiting.of(key) >= MAX_WAITING_OF_ONE)
      return Promise.reject(
        new VerifierUnavailableError('too many signatures of this address wait to be verified'),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.add(key, { scheme, bytes, publicKey, signature, resolve, reject });
      // A full batch has nothing to wait for.
      if (this.#waiting.size === MAX_BATCH) this.#handOver();
      else this.#schedule();
    });
  };

  /** Ends the threads; what they have not answered is rejected. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  /** Makes a thread, also for each one that died. */
  protected spawnWorker(): VerifierWorker {
    return new Worker(new URL('./worker.js', import.meta.url), {
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
      // An idle thread does not keep a program from ending.
      thread.worker.ref();
      thread.worker.postMessage(packed, [packed.buffer]);
    }
  }

  /** The thread with the least to do; null when all have enough. */
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
