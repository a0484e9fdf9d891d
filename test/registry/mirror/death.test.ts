import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import type { WorkerSetup } from '../../../src/registry/mirror/messages.js';
import { Mirror } from '../../../src/registry/mirror/mirror.js';
import { PersistenceError } from '../../../src/registry/log.js';
import { advertisementOf, identityOf, loadFile, openMirror, temporaryFolder, TestLog } from './support.js';
import { advertised, bound } from '../../support/data/entries.js';

test('a thread that dies is replaced, and nothing acknowledged is lost', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const mirror = await openMirror(path);
  const acknowledged = new Set<string>();
  let deaths = 0;
  async function client(number: number): Promise<void> {
    for (let i = 0; i < 100; i += 1) {
      const id = `p-${String(number)}-${String(i)}`;
      await mirror.propose(advertised(advertisementOf(id), identityOf(id)));
      acknowledged.add(id);
      if (number !== 0 || i % 25 !== 10) continue;
      deaths += 1;
      void mirror.worker.terminate();
    }
  }
  await Promise.all(Array.from({ length: 100 }, (_, number) => client(number)));
  assert.equal(acknowledged.size, 10_000);
  assert.equal(mirror.restarts, deaths);
  assert.equal(mirror.problem, null);
  await mirror.close();
  const { advertisements } = await loadFile(path);
  assert.deepEqual(
    [...acknowledged].filter((id) => !advertisements.has(id)),
    [],
  );
});

test('an idle thread that dies is replaced at once, so that the file stays taken', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const log = new TestLog();
  const mirror = await openMirror(path, log);
  const died = log.next(/thread died/);
  await mirror.worker.terminate();
  await died;
  assert.equal(mirror.restarts, 1);
  await mirror.propose(bound(identityOf('a')));
  assert.equal(mirror.workers.length, 2);
  await assert.rejects(loadFile(path), /in use/);
  await mirror.close();
});

class FragileMirror extends Mirror {
  fragile = false;
  workers: Worker[] = [];

  protected override spawnWorker(setup: WorkerSetup): Worker {
    const worker = this.fragile
      ? new Worker('throw new Error("out of luck")', { eval: true })
      : super.spawnWorker(setup);
    this.workers.push(worker);
    return worker;
  }
}

test('threads that keep dying are a problem until one lives', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  const log = new TestLog();
  const mirror = await FragileMirror.open((await loadFile(path)).loaded, log);
  mirror.fragile = true;
  await mirror.workers[0]?.terminate();
  await assert.rejects(mirror.propose(bound(identityOf('lost'))), (error: unknown) => {
    assert.ok(error instanceof PersistenceError);
    assert.match(error.message, /thread keeps dying: out of luck/);
    return true;
  });
  assert.match(mirror.problem ?? '', /keeps dying/);
  const again = log.next(/is writing again/);
  mirror.fragile = false;
  await again;
  assert.equal(mirror.problem, null);
  await mirror.propose(bound(identityOf('kept')));
  await mirror.close();
  assert.deepEqual([...(await loadFile(path)).identities.keys()], ['kept']);
});

test('a mirror that cannot start says why', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db');
  class DeadMirror extends FragileMirror {
    override fragile = true;
  }
  await assert.rejects(
    DeadMirror.open((await loadFile(path)).loaded, new TestLog()),
    /keeps dying: out of luck/,
  );
});
