import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../..', import.meta.url);

/** The cells of the last column of each table. */
function lastCells(markdown: string): string[] {
  return markdown
    .split('\n')
    .filter((line) => /^\|.*\|$/.test(line) && !/^\|[\s|:-]+\|$/.test(line))
    .map((line) => line.slice(1, -1).split(' | ').at(-1)!);
}

test('every test that the threat model names is there', () => {
  const cells = lastCells(readFileSync(new URL('docs/threat-model.md', ROOT), 'utf8'));
  let named = 0;
  for (const cell of cells) {
    let folder = '';
    for (const [, name] of cell.matchAll(/`([\w/-]+)`/g)) {
      // Without a folder it lies in that of the one before.
      const slash = name!.lastIndexOf('/');
      if (slash >= 0) folder = name!.slice(0, slash + 1);
      const paths = [name!, folder + name!, `${name!}/${name!.split('/').at(-1)!}`];
      const isThere = paths.some((path) => existsSync(fileURLToPath(new URL(`test/${path}.test.ts`, ROOT))));
      assert.ok(isThere, `there is no test/${name!}.test.ts`);
      named += 1;
    }
  }
  assert.ok(named > 30, `only ${String(named)} tests were found`);
});
