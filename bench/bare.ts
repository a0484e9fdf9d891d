import type { Bench } from './part.js';
import { Program } from './processes.js';
import { Remote } from './rpc.js';
import type { BareServerCalls } from './servers/bare-uws.js';

/** A minimal server in a process of its own: the baseline for the hub. */
export class BareServer {
  readonly port: number;
  readonly host = '127.0.0.1';
  readonly remote: Remote<BareServerCalls>;
  readonly #program: Program;

  private constructor(program: Program, port: number) {
    this.#program = program;
    this.port = port;
    this.remote = new Remote<BareServerCalls>(program.child, program.error);
  }

  static async start(bench: Bench, kind: 'uws' | 'node'): Promise<BareServer> {
    const name = kind === 'uws' ? 'bare uWebSockets.js' : 'bare node:http';
    const program = new Program(bench, name, `./servers/bare-${kind}.js`, [], { calls: true });
    const [, port] = await program.wrote(/^port (\d+)$/m, 10_000);
    return new BareServer(program, Number(port));
  }

  end(): Promise<void> {
    return this.#program.end();
  }
}
