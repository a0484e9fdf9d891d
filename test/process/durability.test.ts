import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestKey } from '../support/keys.js';
import { ADVERTISEMENT } from '../support/test-hub.js';
import { HubProcess, scratchFolder } from './hub-process.js';

const ROUNDS = 6;
const WRITERS = 8;

interface SignedRequest {
  method: 'POST' | 'DELETE';
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** A provider that advertises and withdraws over and over, and remembers what the hub acknowledged. */
class Writer {
  readonly key = new TestKey();
  readonly sent: SignedRequest[] = [];
  /** The storage of the newest acknowledged advertisement; null after an acknowledged withdrawal. */
  acknowledged: number | null = null;
  /** What was under way when the hub was killed: its outcome is open. */
  open: { storage: number | null } | null = null;
  #t = Date.now();
  #storage = 0;

  async run(hub: HubProcess, withdraws: boolean): Promise<void> {
    for (;;) {
      this.#storage += 1;
      const storage = withdraws && this.#storage % 5 === 0 ? null : this.#storage;
      if (storage === null && this.acknowledged === null) continue;
      const request = this.#sign(storage);
      this.open = { storage };
      try {
        const { status } = await hub.request(request.method, request.path, requestInit(request));
        if (status !== 200) throw new Error(`unexpected status ${String(status)}`);
      } catch (error) {
        if (error instanceof TypeError) return;
        throw error;
      }
      this.sent.push(request);
      this.acknowledged = storage;
      this.open = null;
    }
  }

  #sign(storage: number | null): SignedRequest {
    this.#t = Math.max(this.#t + 1, Date.now());
    const id = this.key.publicKey;
    if (storage === null) {
      const headers = this.key.headers('withdraw', id, this.#t, '');
      return { method: 'DELETE', path: `/api/v1/advertisements/${id}`, headers, body: undefined };
    }
    const body = JSON.stringify({ ...ADVERTISEMENT, resources: { ...ADVERTISEMENT.resources, storage } });
    const headers = {
      'Content-Type': 'application/json',
      ...this.key.headers('advertise', id, this.#t, body),
    };
    return { method: 'POST', path: '/api/v1/advertisements', headers, body };
  }
}

function requestInit({ headers, body }: SignedRequest): RequestInit {
  return body === undefined ? { headers } : { headers, body };
}

test('kill -9 at random moments under concurrent writes loses nothing acknowledged and lets no replay in', async (t) => {
  const folder = scratchFolder(t);
  const writers = Array.from({ length: WRITERS }, () => new Writer());
  for (let round = 0; round < ROUNDS; round += 1) {
    const hub = await HubProcess.start(folder);
    const working = Promise.all(writers.map((writer, index) => writer.run(hub, index % 2 === 0)));
    const wanted = 20 + Math.floor(Math.random() * 200);
    const before = total(writers);
    while (total(writers) - before < wanted) await Promise.race([working, new Promise(setImmediate)]);
    await hub.kill();
    await working;

    const again = await HubProcess.start(folder);
    for (const writer of writers) {
      const { status, body } = await again.request<{ resources: { storage: number } }>(
        'GET',
        `/api/v1/advertisements/${writer.key.publicKey}`,
      );
      const present = status === 200 ? body.resources.storage : null;
      const possible = [writer.acknowledged, ...(writer.open === null ? [] : [writer.open.storage])];
      assert.ok(
        possible.includes(present),
        `round ${String(round)}: ${String(present)} is none of ${possible.join()}`,
      );
      writer.acknowledged = present;
      for (const old of writer.sent.slice(-6)) {
        const replay = await again.request<{ code: string }>(old.method, old.path, requestInit(old));
        assert.deepEqual(
          [replay.status, replay.body.code],
          [401, 'AUTH_002'],
          'an older signed request is refused',
        );
      }
    }
    assert.equal(await again.stop(), 0);
  }
});

function total(writers: readonly Writer[]): number {
  return writers.reduce((sum, { sent }) => sum + sent.length, 0);
}
