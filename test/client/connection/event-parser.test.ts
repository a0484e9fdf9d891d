import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventParser } from '../../../src/client/connection/event-parser.js';
import { randomOf } from '../../support/random.js';

/** What a parser makes of a stream that comes in pieces. */
function read(pieces: readonly string[]): (string | number)[] {
  const read: (string | number)[] = [];
  const parser = new EventParser({ data: (text) => read.push(text), retry: (ms) => read.push(ms) });
  for (const piece of pieces) parser.push(piece);
  return read;
}

test('an event is its data: names, ids, comments and events without data are passed over', () => {
  const stream =
    'retry: 2381\n\n:\n\nevent: events\nid: e:1\ndata: {"a":1}\n\nid:\n\ndata:one\ndata\ndata:  two\n\nevent: x\n\nretry: soon\n\ndata: unfinished';
  assert.deepEqual(read([stream]), [2381, '{"a":1}', 'one\n\n two']);
});

test('a stream reads the same however it is cut, and whatever its lines end with', (t) => {
  const random = randomOf(t);
  for (let round = 0; round < 300; round += 1) {
    const wanted: (string | number)[] = [];
    let stream = '';
    for (let event = 0; event < 6; event += 1) {
      const end = (): string => ['\n', '\r\n', '\r'][Math.floor(random() * 3)]!;
      const lines = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
        'é:data x'.slice(0, Math.floor(random() * 9)),
      );
      if (random() < 0.3) stream += `: still there${end()}${end()}`;
      if (random() < 0.3) {
        stream += `retry: ${String(event)}${end()}`;
        wanted.push(event);
      }
      stream += `event: e${end()}`;
      for (const line of lines) stream += `data: ${line}${end()}`;
      // A return that a line feed of the next line would be taken into is none of its own.
      stream += '\n';
      if (stream.endsWith('\r\n')) stream += '\n';
      wanted.push(lines.join('\n'));
    }
    const pieces: string[] = [];
    for (let from = 0; from < stream.length;) {
      const length = Math.floor(random() * 5);
      pieces.push(stream.slice(from, from + length));
      from += length;
    }
    assert.deepEqual(read(pieces), wanted, JSON.stringify(pieces));
  }
});

test('an event that never ends is given up', () => {
  const parser = new EventParser({ data: () => assert.fail('it is not over'), retry: () => undefined });
  const piece = `data: ${'x'.repeat(1024 * 1024)}\n`;
  assert.throws(() => {
    for (let count = 0; count < 40; count += 1) parser.push(piece);
  }, RangeError);
});

test('comments without end are no event', () => {
  const parser = new EventParser({ data: () => undefined, retry: () => undefined });
  const piece = `: ${'x'.repeat(1024 * 1024)}\n`;
  for (let count = 0; count < 40; count += 1) parser.push(piece);
});
