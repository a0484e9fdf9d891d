import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SETTINGS } from '../src/settings.js';

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

const DOCUMENTS = [
  ...readdirSync(ROOT, { encoding: 'utf8' }),
  ...['docs', 'examples'].flatMap((folder) =>
    readdirSync(new URL(folder, ROOT), { encoding: 'utf8', recursive: true }).map(
      (file) => `${folder}/${file}`,
    ),
  ),
].filter((file) => file.endsWith('.md'));

const read = (file: string): string => readFileSync(new URL(file, ROOT), 'utf8');

/** The anchors of a document's headings, as hosts of repositories make them. */
const anchors = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test('every link from one document to another leads somewhere', () => {
  let links = 0;
  for (const file of DOCUMENTS) {
    for (const [, target, anchor] of read(file).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      const url = target === '' ? new URL(file, ROOT) : new URL(target!, new URL(file, ROOT));
      assert.ok(existsSync(fileURLToPath(url)), `${file} links to ${target!}, which does not exist`);
      if (anchor !== undefined) {
        const isThere = anchors(readFileSync(url, 'utf8')).includes(anchor);
        assert.ok(isThere, `${file} links to ${target!}#${anchor}, which does not exist`);
      }
      links += 1;
    }
  }
  assert.ok(links > 30, `only ${String(links)} links were found`);
});

test('the index of decisions lists every decision under its own title', () => {
  const index = read('docs/decisions/README.md');
  for (const file of DOCUMENTS.filter((name) => /^docs\/decisions\/\d/.test(name))) {
    const [, title] = /^# \d+\. (.+)$/m.exec(read(file))!;
    const row = index.split('\n').find((line) => line.includes(`(${file.split('/').at(-1)!})`));
    assert.ok(row?.includes(` ${title!} `), `the index does not list ${file} as "${title!}"`);
  }
});

test('every setting is described for operators', () => {
  const described = read('README.md') + read('docs/operations.md') + read('docs/cluster.md');
  for (const name of Object.keys(SETTINGS)) {
    assert.ok(described.includes(`DISCOVERY_${name}\``), `DISCOVERY_${name} is not described`);
  }
});

test('every source file and folder that a document names is there', () => {
  let named = 0;
  for (const file of DOCUMENTS) {
    for (const [, path] of read(file).matchAll(
      /`((?:src|test|bench|scripts|examples|deploy|docs)\/[\w./-]+)`/g,
    )) {
      assert.ok(
        existsSync(fileURLToPath(new URL(path!, ROOT))),
        `${file} names ${path!}, which does not exist`,
      );
      named += 1;
    }
  }
  assert.ok(named > 15, `only ${String(named)} were found`);
});
