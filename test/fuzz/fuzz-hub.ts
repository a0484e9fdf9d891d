import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { HubProcess } from '../process/hub-process.js';
import { TestKey } from '../support/data/keys.js';
import type { TransportName } from '../support/hubs/test-hub.js';
import { Speaker } from './speaker.js';

/** Lanes of a scenario, each with an identity of its own. */
const SPEAKERS = 48;

/** Bytes that a hub holds after everything that nobody holds is gone. */
export interface MemoryReport {
  heapUsed: number;
  external: number;
  rss: number;
}

const PROBE = new URL('./memory-probe.js', import.meta.url).href;

/** A hub in a process of its own, and everybody who talks to it. */
export class FuzzHub {
  readonly transport: TransportName;
  readonly process: HubProcess;
  readonly speakers: readonly Speaker[];
  #reports = 0;
  #readUpTo = 0;

  private constructor(transport: TransportName, process: HubProcess) {
    this.transport = transport;
    this.process = process;
    this.speakers = Array.from({ length: SPEAKERS }, (_, index) => {
      const key = TestKey.fromSeed(createHash('sha256').update(`speaker ${index}`).digest('hex'));
      return new Speaker(key, index % 2 === 0 ? key.publicKey : `fuzz-${index}`, this.host);
    });
  }

  static async start(folder: string, transport: TransportName): Promise<FuzzHub> {
    const settings = {
      TRANSPORT: transport,
      MESSAGES_PER_MINUTE: '0',
      // Full soon, so that what it holds is not taken for growth.
      REPLAY_EVENTS: '512',
      // What is fuzzed lies before the disk, which would be waited for most of the time.
      DB_URL: 'sqlite:///:memory:',
    };
    const nodeArgs = ['--expose-gc', '--import', PROBE];
    return new FuzzHub(transport, await HubProcess.start(folder, settings, { nodeArgs }));
  }

  get host(): string {
    return `127.0.0.1:${this.process.port}`;
  }

  get isRunning(): boolean {
    const { child } = this.process;
    return child.exitCode === null && child.signalCode === null;
  }

  /** Fails with what the process said last, if it is what ended that makes its clients fail. */
  async assertAlive(cause: unknown): Promise<void> {
    const answers = fetch(`${this.process.url}/health`).then(
      () => true,
      () => false,
    );
    if (await answers) return;
    await this.process.exited;
    throw new Error(`the hub ended:\n${this.process.output.slice(-3000)}`, { cause });
  }

  /** Fails when the process has ended, or has logged something that a hub only logs when it failed itself. */
  assertSound(): void {
    assert.ok(this.isRunning, `the hub ended:\n${this.process.output.slice(-3000)}`);
    this.assertClean();
  }

  /** Fails when something was logged since the last time that a hub only logs when it failed itself. */
  assertClean(): void {
    const { output } = this.process;
    const news = output.slice(this.#readUpTo);
    this.#readUpTo = output.length;
    assert.doesNotMatch(news, /"level":(?:40|50|60)|unexpected error|Unhandled|Warning/);
  }

  async memory(): Promise<MemoryReport> {
    this.#reports += 1;
    this.process.child.kill('SIGUSR2');
    const pattern = new RegExp(`^\\{"report":${this.#reports},.*\\}$`, 'm');
    return JSON.parse((await this.process.wrote(pattern))[0]) as MemoryReport;
  }
}
