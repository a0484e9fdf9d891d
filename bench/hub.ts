import { join } from 'node:path';
import { type Bench, WrongAnswerError } from './part.js';
import { Program } from './processes.js';

/** A reading of a hub's metrics. */
export interface HubState {
  /** The longest time between two turns of the event loop since the last call, in milliseconds. */
  longestStopMs: number;
  cpuSeconds: number;
  rssBytes: number;
  heapBytes: number;
  arenaBytes: number;
}

/** A hub in a process of its own, as an operator starts it, but without rate limits. */
export class Hub {
  readonly program: Program;
  readonly port: number;

  private constructor(program: Program, port: number) {
    this.program = program;
    this.port = port;
  }

  get host(): string {
    return `127.0.0.1:${String(this.port)}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /**
   * Starts a hub and waits until it listens.
   * @param file The database, in the scratch folder.
   * @param settings Names without prefix.
   * @param limitMs How long it may take, in milliseconds.
   */
  static async start(
    bench: Bench,
    file: string,
    settings: Record<string, string> = {},
    limitMs = 120_000,
  ): Promise<Hub> {
    const program = Hub.spawn(bench, file, settings);
    const match = await program.wrote(/"port":(\d+).*the hub is listening/, limitMs);
    return new Hub(program, Number(match[1]));
  }

  /** Starts a hub without waiting for it. */
  static spawn(bench: Bench, file: string, settings: Record<string, string> = {}): Program {
    const env: NodeJS.ProcessEnv = {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      DISCOVERY_HOST: '127.0.0.1',
      DISCOVERY_PORT: '0',
      DISCOVERY_TRANSPORT: 'uws',
      DISCOVERY_RATE_LIMIT_PER_MINUTE: '0',
      DISCOVERY_MESSAGES_PER_MINUTE: '0',
      DISCOVERY_DRAIN_SECONDS: '0',
      // Nobody keeps rows from a file alive.
      DISCOVERY_RESTART_GRACE_SECONDS: '3600',
      DISCOVERY_DB_URL: `sqlite:///${join(bench.folder, file)}`,
    };
    for (const [name, value] of Object.entries(settings)) env[`DISCOVERY_${name}`] = value;
    return new Program(bench, 'the hub', '../src/cli/main.js', ['serve'], { env });
  }

  /** Reads the hub's metrics. Each reading resets the longest stop. */
  async state(): Promise<HubState> {
    const response = await this.#metrics().catch(() => this.#metrics());
    const text = await response.text();
    if (response.status !== 200) throw new WrongAnswerError(`/metrics answered ${String(response.status)}`);
    const read = (name: string): number => {
      const match = new RegExp(`^${name} (\\S+)$`, 'm').exec(text);
      if (match === null) throw new WrongAnswerError(`/metrics has no ${name}`);
      return Number(match[1]);
    };
    return {
      longestStopMs: read('nodejs_eventloop_lag_max_seconds') * 1000,
      cpuSeconds: read('process_cpu_seconds_total'),
      rssBytes: read('process_resident_memory_bytes'),
      heapBytes: read('nodejs_heap_size_used_bytes'),
      arenaBytes: read('discovery_arena_bytes'),
    };
  }

  /** May fail if the hub closes an idle connection just as it is used again. */
  #metrics(): Promise<Response> {
    return fetch(`${this.url}/metrics`, { signal: AbortSignal.timeout(30_000) });
  }

  end(): Promise<void> {
    return this.program.end();
  }
}
