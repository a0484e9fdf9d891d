import type { Bench } from '../part.js';
import { Program } from '../processes.js';
import { Remote } from '../rpc.js';
import type { HonestCalls } from './honest-main.js';

/** The process of the honest client, separate so that the attacker's own load does not affect its measurements. */
export class HonestProcess {
  readonly remote: Remote<HonestCalls>;
  readonly #program: Program;

  constructor(bench: Bench) {
    this.#program = new Program(bench, 'the honest client', './attack/honest-main.js', [], { calls: true });
    this.remote = new Remote<HonestCalls>(this.#program.child, this.#program.error);
  }

  end(): Promise<void> {
    return this.#program.end();
  }
}
