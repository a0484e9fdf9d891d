import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CopyChange } from '../../../../src/registry/local-copy.js';
import type { KeptSink } from '../../../../src/registry/log.js';
import { FileCopy } from '../../../../src/registry/mirror/copy/file-copy.js';
import { rowIn } from '../../../../src/registry/store/row-batch.js';
import { isLiveRow } from '../../../../src/registry/store/columns.js';
import { randomOf } from '../../../support/random.js';
import { scaled } from '../../../support/scale.js';
import { recordsIn, temporaryFolder } from '../support.js';
import { byId, changeAt, type Content, contentAt, markAt, writeFrom } from './revisions.js';

const WRITER = fileURLToPath(new URL('./revisions.js', import.meta.url));
const ROUNDS = scaled(2, 20);
async function contentOf(copy: FileCopy): Promise<Content> {
  const rows: Content['rows'] = [];
  const sink: Pick<KeptSink, 'expect' | 'copied' | 'identity' | 'isConsistent'> = {
    expect: () => undefined,
    identity: () => undefined,
    isConsistent: () => true,
    copied: (batch) => {
      for (const [index, { providerId, createdAt }] of recordsIn(batch).entries()) {
        const { attributes, from } = rowIn(batch, index);
        rows.push([providerId, createdAt, isLiveRow(attributes, from)]);
      }
    },
  };
  const { hubs, standings, bindings } = await copy.load(sink as KeptSink);
  const all = byId(standings);
  const bare = all.filter(({ isAdvertised }) => !isAdvertised);
  return {
    hubs: [...hubs].sort(),
    standings: all,
    rows: rows.sort(([a], [b]) => (a < b ? -1 : 1)),
    bindings: bare.map(({ providerId }) => [providerId, bindings.get(providerId)?.lastT ?? -1]),
  };
}

/** A process that goes on with the copy until it is killed, and says how far it was told to have come. */
async function killedWriter(t: TestContext, path: string, acknowledged: number): Promise<number> {
  const child = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const gone = once(child, 'exit');
  let last = 0;
  let lines = 0;
  for await (const line of createInterface(child.stdout)) {
    last = Number(line);
    lines += 1;
    if (lines === acknowledged) child.kill('SIGKILL');
  }
  await gone;
  return last;
}

test('a kill at any moment leaves rows and mark of the same revision', async (t) => {
  const random = randomOf(t);
  const path = join(temporaryFolder(t), 'hub.db.copy');
  let before = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const acknowledged = await killedWriter(t, path, 5 + Math.floor(random() * 100));
    const copy = new FileCopy(path);
    const mark = await copy.mark();
    assert.ok(mark !== null && mark.revision >= acknowledged && acknowledged > before, JSON.stringify(mark));
    assert.deepEqual(mark, markAt(mark.revision));
    assert.deepEqual(await contentOf(copy), contentAt(mark.revision));
    before = mark.revision;
  }
});

test('the newest records are named, and many are read in threads', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db.copy');
  const copy = new FileCopy(path);
  await copy.clear();
  assert.equal(await copy.mark(), null, 'it is not complete');
  const many = Array.from({ length: 3000 }, (_, index): CopyChange => {
    const change = changeAt(index + 1);
    if (change.kind !== 'record') return change;
    const providerId = `n-${String(index)}`;
    const { advertisement, identity } = change.content!;
    return {
      ...change,
      standing: { ...change.standing, providerId },
      content: {
        advertisement: advertisement === null ? null : { ...advertisement, providerId },
        identity: { ...identity!, providerId },
      },
    };
  });
  await copy.write(many, markAt(3000));
  await copy.close();
  const records = many.filter((change) => change.kind === 'record');
  const { standings, rows, bindings } = await contentOf(copy);
  assert.deepEqual(standings, byId(records.map(({ standing }) => standing)));
  assert.equal(rows.length + bindings.length, records.length);
  assert.ok(bindings.every(([, lastT]) => lastT > 0));
  const newest = records
    .slice(-3)
    .map(({ standing: { providerId, revision } }) => ({ providerId, revision }));
  assert.deepEqual(
    (await copy.newest(3)).sort((a, b) => a.revision - b.revision),
    newest,
  );
});

test('a standing that changes leaves the rest as it is', async (t) => {
  const copy = new FileCopy(join(temporaryFolder(t), 'hub.db.copy'));
  await copy.clear();
  await writeFrom(copy, 1, 4, 1);
  const change = changeAt(4);
  assert.ok(change.kind === 'record');
  const standing = {
    ...change.standing,
    revision: 9,
    session: { hub: 'hub-9', token: 1, from: '192.0.2.1' },
  };
  await copy.write([{ kind: 'record', standing, content: null }], markAt(9));
  await copy.close();
  const expected = contentAt(4);
  const of = ({ providerId }: { providerId: string }): boolean => providerId === standing.providerId;
  assert.deepEqual(await contentOf(copy), {
    ...expected,
    standings: expected.standings.map((known) => (of(known) ? standing : known)),
  });
});

test('a damaged file is told, and made anew', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db.copy');
  let copy = new FileCopy(path);
  await copy.clear();
  await writeFrom(copy, 1, 200, 50);
  await copy.close();
  for (const damage of [
    () => {
      truncateSync(path, 20_000);
    },
    () => {
      writeFileSync(path, 'this is no database, and has never been one');
    },
  ]) {
    damage();
    copy = new FileCopy(path);
    await assert.rejects(async () => {
      await copy.mark();
      await contentOf(copy);
    }, /hub\.db\.copy.*SQLITE_(CORRUPT|NOTADB)|is damaged|missing/);
    await copy.clear();
    assert.equal(await copy.mark(), null);
    await writeFrom(copy, 1, 200, 50);
    await copy.close();
    assert.deepEqual(await contentOf(copy), contentAt(200));
  }
});

test('nobody writes to a copy that another hub uses, or has used since', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db.copy');
  const [one, other] = [new FileCopy(path), new FileCopy(path)];
  await one.clear();
  await other.mark();
  await assert.rejects(one.write([], markAt(1)), /another hub has used the file/);
  await other.write([changeAt(1)], markAt(1));
  await assert.rejects(one.clear(), /in use by another process/);
  await assert.rejects(one.mark(), /in use by another process/);
  await other.write([changeAt(2)], markAt(2));
  await other.close();
  assert.deepEqual(await one.mark(), markAt(2));
  assert.deepEqual(await contentOf(one), contentAt(2));
});
