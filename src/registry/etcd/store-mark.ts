import { open, readFile, rename } from 'node:fs/promises';
import type { SharedLogLogger } from './settings.js';

/** How far a hub has followed which store. */
export interface Mark {
  epoch: string;
  revision: number;
}

/** How often it is written at most, in milliseconds. */
const WRITE_MS = 5000;

/**
 * Remembers on the hub's own disk how far it has followed the store, so that a store that is not the one it knew is noticed. A
 * disk that fails is told once, and costs nothing else.
 */
export class StoreMark {
  readonly #path: string | null;
  readonly #log: SharedLogLogger;
  #written = -1;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | null = null;
  #hasFailed = false;

  /** @param path Null to remember nothing. */
  constructor(path: string | null, log: SharedLogLogger) {
    this.#path = path;
    this.#log = log;
  }

  /**
   * Compares a store with the one that is remembered.
   * @param identity The key to delete for another epoch.
   * @throws Error when the store has gone back. The message says what to do.
   */
  async check({ epoch, revision }: Mark, identity: string): Promise<void> {
    const before = await this.#read();
    if (before === null) return;
    if (before.epoch !== epoch) {
      this.#log.warn(
        `this etcd is not the store that this hub knew: epoch ${before.epoch} at revision ${before.revision} then, epoch ${epoch} at ` +
          `revision ${revision} now. It was made anew, or its epoch was renewed; cursors of before are refused, and clients take a new snapshot`,
      );
    } else if (revision < before.revision) {
      throw new Error(wentBack(before.revision, revision, identity));
    }
  }

  /** Writes how far the hub has come, unless it has lately. Called again and again. */
  note(mark: Mark, now: number): void {
    if (this.#writing !== null || mark.revision === this.#written || now - this.#writtenAt < WRITE_MS) return;
    this.#writtenAt = now;
    this.#writing = this.#write(mark).finally(() => {
      this.#writing = null;
    });
  }

  /** Writes how far the hub has come in the end. */
  async close(mark: Mark): Promise<void> {
    await this.#writing;
    if (mark.revision !== this.#written) await this.#write(mark);
  }

  async #read(): Promise<Mark | null> {
    if (this.#path === null) return null;
    try {
      const mark = JSON.parse(await readFile(this.#path, 'utf8')) as Partial<Mark> | null;
      if (typeof mark?.epoch === 'string' && Number.isSafeInteger(mark.revision)) return mark as Mark;
      throw new Error('it holds something else');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      this.#log.warn(
        `${this.#path} cannot be read, so that it is not noticed if etcd has gone back since: ${(error as Error).message}`,
      );
      return null;
    }
  }

  async #write(mark: Mark): Promise<void> {
    if (this.#path === null) return;
    // Hubs of one machine may share the file.
    const draft = `${this.#path}.${process.pid}`;
    try {
      const file = await open(draft, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify(mark));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, this.#path);
      this.#written = mark.revision;
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed)
        this.#log.warn(`how far this hub has come cannot be written to disk: ${(error as Error).message}`);
      this.#hasFailed = true;
    }
  }
}

/** What to do about a store that has lost what it had acknowledged. */
export function wentBack(known: number, revision: number, identity: string): string {
  return (
    `etcd is at revision ${revision}, and this hub has seen ${known}: an older backup was restored. Stop all hubs, delete the key ` +
    `${identity} in etcd, which renews the epoch, and start them again`
  );
}
