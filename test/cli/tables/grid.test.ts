import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bar } from '../../../src/cli/tables/bar.js';
import { grid, type GridColumn } from '../../../src/cli/tables/grid.js';
import { displayWidth } from '../../../src/cli/tables/text.js';
import { randomOf } from '../../support/random.js';

test('columns are laid out by their widest cell; what is too wide is left out in its order, then cut', () => {
  const columns: GridColumn[] = [
    { title: 'NAME', cells: ['a rather long name', '北京'], least: 6 },
    { title: 'N', cells: ['1', '200'], right: true },
    { title: 'B', cells: ['bbb', 'b'], expendable: 1 },
    { title: 'A', cells: ['aaa', 'a'], expendable: 0 },
  ];
  assert.equal(
    grid(columns, null),
    'NAME                  N  B    A\na rather long name    1  bbb  aaa\n北京                200  b    a',
  );
  assert.equal(grid(columns, 20), 'NAME          N  B\na rather …    1  bbb\n北京        200  b');
  assert.equal(grid(columns, 12), 'NAME       N\na rath…    1\n北京     200');
});

test('a cell that may continue does so below itself, and nothing of it is lost', () => {
  const columns: GridColumn[] = [
    { title: 'NEAREST', cells: ['first', 'second'], least: 6 },
    {
      title: 'MISSES',
      cells: ['--cpu 8 (has 4), --gpu 1 (has 0)', '--cpu 8 (has 4)'],
      least: 10,
      wraps: true,
    },
  ];
  assert.equal(
    grid(columns, 30),
    'NEAREST  MISSES\nfirst    --cpu 8 (has 4),\n         --gpu 1 (has 0)\nsecond   --cpu 8 (has 4)',
  );
});

test('no line is wider than the terminal, whatever is in the cells', (t) => {
  const random = randomOf(t);
  const text = (): string =>
    Array.from(
      { length: Math.floor(random() * 20) },
      () => 'aé北🚀\u001b\u202e '[Math.floor(random() * 8)],
    ).join('');
  for (let round = 0; round < 200; round += 1) {
    const columns = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, at): GridColumn => ({
      title: 'T'.repeat(Math.floor(random() * 6)),
      cells: [text(), text()],
      right: random() < 0.5,
      ...(random() < 0.5 ? { least: 6, wraps: random() < 0.5 } : {}),
      ...(random() < 0.5 ? { expendable: at } : {}),
    }));
    const width = 1 + Math.floor(random() * 60);
    for (const line of grid(columns, width).split('\n')) {
      assert.ok(displayWidth(line) <= width, `${JSON.stringify(line)} in ${String(width)}`);
      assert.ok(!line.includes('\u001b') && !line.includes('\u202e'));
    }
  }
});

test('a bar is as long as its share, to an eighth of a column, and what is not nothing is seen', () => {
  assert.deepEqual(
    [0, 0.0001, 0.125, 0.5, 0.53, 1, 2].map((share) => bar(share, 4)),
    ['', '▏', '▌', '██', '██▏', '████', '████'],
  );
});
