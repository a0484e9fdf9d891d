import type { Bench } from '../part.js';
import { Program } from '../processes.js';
import { Remote } from '../rpc.js';
import type { HonestCalls } from './honest-main.js';

/** The process of the honest client, so that it measures the hub, and not what else keeps the attacker busy. */
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
