import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Capacity, capacityOf, measureCapacity, shareOf } from '../src/open-files.js';

interface Report {
  capacity: Capacity;
  open: number;
}

/** What a process of its own, which can have a limit of its own, says of its capacity and of its open files. */
const SCRIPT = [
  process.execPath,
  `import { readdirSync } from 'node:fs';
  import { measureCapacity } from ${JSON.stringify(new URL('../src/open-files.js', import.meta.url).href)};
  const open = readdirSync('/proc/self/fd').length;
  console.log(JSON.stringify({ capacity: measureCapacity(), open }));`,
];

describe('the room for connections', () => {
  test('leaves files for the hub itself and connections for plain requests', () => {
    assert.deepEqual(capacityOf(65_536, 36), { connections: 65_436, webSockets: 65_180 });
    assert.deepEqual(capacityOf(1024, 30), { connections: 930, webSockets: 813 });
    assert.deepEqual(capacityOf(200, 26), { connections: 149, webSockets: 130 });
  });

  test('is never nothing', () => {
    for (let limit = 0; limit < 100; limit += 1) {
      const { connections, webSockets } = capacityOf(limit, 30);
      assert.ok(webSockets >= 1 && webSockets < connections, `with ${limit} files`);
    }
  });

  test('is never all for one address, whatever an operator allows', () => {
    const usual = { webSockets: 1000, silent: 128 };
    assert.deepEqual(shareOf(capacityOf(65_536, 36), usual), usual);
    assert.deepEqual(shareOf(capacityOf(1024, 30), usual), { webSockets: 406, silent: 58 });
    assert.deepEqual(shareOf(capacityOf(10, 10), usual), { webSockets: 1, silent: 1 });
    assert.deepEqual(shareOf({ connections: Infinity, webSockets: Infinity }, usual), usual);
    const none = { webSockets: 0, silent: 0 };
    assert.deepEqual(shareOf(capacityOf(1024, 30), none), none, 'unless there is to be no limit');
  });

  const isTold = existsSync('/proc/self/limits');

  test('is what the system allows, less what is open', { skip: !isTold && 'there is no /proc' }, () => {
    const limited = (files: number): Report => {
      const command = ['-c', `ulimit -n ${String(files)} && exec "$0" --input-type=module -e "$1"`];
      return JSON.parse(execFileSync('sh', [...command, ...SCRIPT], { encoding: 'utf8' })) as Report;
    };
    const [few, many] = [limited(300), limited(800)];
    assert.ok(few.open > 2, 'a process has some files open');
    assert.deepEqual(few.capacity, capacityOf(300, few.open));
    assert.deepEqual(many.capacity, capacityOf(800, many.open));
    assert.ok(many.capacity.connections > few.capacity.connections + 400);
  });

  test('has no bound where the system does not tell it', { skip: isTold && 'this one tells' }, () => {
    assert.deepEqual(measureCapacity(), { connections: Infinity, webSockets: Infinity });
  });
});
