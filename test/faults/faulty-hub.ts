import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HubProcess } from '../process/hub-process.js';
import { FAULT_FILES } from './fault-files.js';

const SHIM = new URL('./shim.js', import.meta.url).href;
/** Longer than whatever is waited for takes on a machine with much else to do, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Resolves with the first answer that is as wanted; asks until then. */
export async function until<Answer>(
  what: string,
  ask: () => Answer | Promise<Answer>,
  isWanted: (answer: Answer) => boolean,
): Promise<Answer> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(`${what} never came; the last: ${JSON.stringify(answer)}`);
    await delay(20);
  }
}

/** A hub in a process of its own, in which faults can be brought about. */
export class FaultyHub {
  readonly process: HubProcess;
  readonly folder: string;

  private constructor(process: HubProcess, folder: string) {
    this.process = process;
    this.folder = folder;
  }

  static async start(folder: string, settings: Record<string, string> = {}): Promise<FaultyHub> {
    const hub = await HubProcess.start(folder, settings, { nodeArgs: ['--import', SHIM] });
    return new FaultyHub(hub, folder);
  }

  /** Sets the hub's wall clock so many milliseconds ahead of the true one, and waits until it is. */
  async setWallClock(offset: number): Promise<void> {
    // In one step, so that the hub never reads half of it.
    writeFileSync(this.#path('new-offset'), String(offset));
    renameSync(this.#path('new-offset'), this.#path(FAULT_FILES.wallOffset));
    const isSet = (wall: number): boolean => Math.abs(wall - (Date.now() + offset)) < 60_000;
    await until('the wall clock that was set', () => this.wall(), isSet);
  }

  /** The hub's own Unix time in milliseconds. */
  async wall(): Promise<number> {
    const { body } = await this.process.request<{ timestamp: string }>('GET', '/nothing');
    return Date.parse(body.timestamp);
  }

  /** Blocks the event loop for so long, and resolves when that is over. */
  async block(ms: number): Promise<void> {
    writeFileSync(this.#path('new-block'), String(ms));
    renameSync(this.#path('new-block'), this.#path(FAULT_FILES.block));
    await until(
      'the end of the block',
      () => existsSync(this.#path(FAULT_FILES.block)),
      (is) => !is,
    );
  }

  /** Stops the whole process for so long. */
  async standStill(ms: number): Promise<void> {
    this.process.child.kill('SIGSTOP');
    // It is the time itself that this is about.
    await delay(ms);
    this.process.child.kill('SIGCONT');
  }

  /** Has the next write wait for the disk until the returned function is called. */
  hangDisk(): () => void {
    const pipe = this.#path(FAULT_FILES.diskHangs);
    execFileSync('mkfifo', [pipe]);
    return () => {
      const end = openSync(pipe, 'r+');
      rmSync(pipe);
      closeSync(end);
    };
  }

  /** Ends the mirror's thread over the next request. */
  killThread(when: 'before' | 'after'): void {
    writeFileSync(this.#path('new-death'), when);
    renameSync(this.#path('new-death'), this.#path(FAULT_FILES.threadDies));
  }

  #path(name: string): string {
    return join(this.folder, name);
  }
}
