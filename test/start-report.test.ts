import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportStart } from '../src/start-report.js';

test('a start that takes long says every two seconds how far it is, and nothing once it is over', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lines: string[] = [];
  const log = { info: (_facts: unknown, message: string) => lines.push(message) };
  const progress = { read: 0, of: null as number | null };
  const end = reportStart(log as unknown as Parameters<typeof reportStart>[0], 'database', () => progress);
  t.mock.timers.tick(1999);
  assert.deepEqual(lines, [], 'a short start says nothing');
  t.mock.timers.tick(1);
  Object.assign(progress, { read: 349_999, of: 1_000_000 });
  t.mock.timers.tick(2000);
  progress.read = 1_000_000;
  t.mock.timers.tick(2000);
  assert.deepEqual(lines, [
    'starting: opening the database',
    'starting: 349,999 of 1,000,000 advertisements read (34 %)',
    'starting: 1,000,000 of 1,000,000 advertisements read, checking the database',
  ]);
  end();
  t.mock.timers.tick(10_000);
  assert.equal(lines.length, 3);
});
