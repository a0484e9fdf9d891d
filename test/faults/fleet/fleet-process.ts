import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithTests } from '../../process/hub-process.js';
import type { FleetState } from './fleet.js';
import type { FleetAnswer, FleetCall } from './main.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

/** A fleet in a process of its own, so that the load of its clients is not that of the test. */
export class FleetProcess {
  readonly child: ChildProcess;
  readonly #waiting = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (error: Error) => void }
  >();
  #lastId = 0;

  private constructor(child: ChildProcess) {
    this.child = child;
    child.on('message', ({ id, result, error }: FleetAnswer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(`the fleet: ${error}`));
    });
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the fleet has ended'));
    });
  }

  /** Starts it; resolves when the keys are made. */
  static async start(size: number): Promise<FleetProcess> {
    const child = fork(MAIN, [String(size)], { execArgv: [] });
    endWithTests(child);
    await once(child, 'message');
    return new FleetProcess(child);
  }

  /** Has all that have no session open one at once. Resolves when all are live; rejects when one is not let in. */
  async join(port: number): Promise<void> {
    await this.#call('join', port);
  }

  /** Has the live ones advertise anew, so many times in all. */
  async update(times: number): Promise<void> {
    await this.#call('update', times);
  }

  async state(): Promise<FleetState> {
    return (await this.#call('state')) as FleetState;
  }

  async end(): Promise<void> {
    await this.#call('leave');
    const exited = once(this.child, 'exit');
    this.child.disconnect();
    await exited;
  }

  #call(method: FleetCall['method'], argument = 0): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.child.send({ id, method, argument } satisfies FleetCall);
    });
  }
}
