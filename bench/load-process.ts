import type { LoadCalls } from './load/main.js';
import type { Bench } from './part.js';
import { Program } from './processes.js';
import { Remote } from './rpc.js';

/** The process that generates load. */
export class LoadProcess {
  readonly remote: Remote<LoadCalls>;
  readonly #program: Program;

  constructor(bench: Bench) {
    this.#program = new Program(bench, 'the load generator', './load/main.js', [], { calls: true });
    this.remote = new Remote<LoadCalls>(this.#program.child, this.#program.error);
  }

  /** Cuts its connections, which frees their ports, and ends it. */
  async end(): Promise<void> {
    await this.remote.call('close', null);
    await this.#program.end();
  }
}
