import type { ChildProcess } from 'node:child_process';

/** Functions by name that one process can call in another; each takes one value. */
type Functions<C> = { [K in keyof C]: (input: never) => unknown };

type InputOf<F> = F extends (input: infer I) => unknown ? I : never;
type ResultOf<F> = F extends (input: never) => infer R ? Awaited<R> : never;

interface Call {
  call: number;
  name: string;
  input: unknown;
}

type Reply = { call: number; value: unknown } | { call: number; error: string; wrong: boolean };

/** Serves the calls of the parent process, one after the other, until it has gone. */
export function serveCalls<C extends Functions<C>>(functions: C): void {
  let last: Promise<unknown> = Promise.resolve();
  process.on('message', (message: unknown) => {
    const { call, name, input } = message as Call;
    last = last.then(async () => {
      let reply: Reply;
      try {
        const run = functions[name as keyof C] as unknown as (input: unknown) => unknown;
        reply = { call, value: await run(input) };
      } catch (error) {
        reply = {
          call,
          error: (error as Error).message,
          wrong: (error as Error).name === 'WrongAnswerError',
        };
      }
      process.send?.(reply);
    });
  });
  // The parent has gone.
  process.on('disconnect', () => process.exit(0));
}

/** The parent's end of `serveCalls`. */
export class Remote<C extends Functions<C>> {
  readonly #child: ChildProcess;
  readonly #makeError: (message: string, wrong: boolean) => Error;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #next = 1;

  constructor(child: ChildProcess, makeError: (message: string, wrong: boolean) => Error) {
    this.#child = child;
    this.#makeError = makeError;
    child.on('message', (message: unknown) => this.#receive(message as Reply));
    child.once('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values())
        reject(makeError(`it ended (${String(signal ?? code)})`, false));
      this.#waiting.clear();
    });
  }

  /** Calls a function in the other process; rejects with what it throws, or after the time limit in milliseconds. */
  call<K extends keyof C & string>(
    name: K,
    input: InputOf<C[K]>,
    limitMs = 120_000,
  ): Promise<ResultOf<C[K]>> {
    const call = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(call);
        reject(this.#makeError(`${name} took longer than ${String(limitMs / 1000)} s`, false));
      }, limitMs);
      this.#waiting.set(call, {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#child.send({ call, name, input } satisfies Call);
    });
  }

  #receive(reply: Reply): void {
    const waiting = this.#waiting.get(reply.call);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.call);
    if ('error' in reply) waiting.reject(this.#makeError(reply.error, reply.wrong));
    else waiting.resolve(reply.value as never);
  }
}
