import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { Journal } from '../src/journal.js';

type Line = Record<string, unknown>;

function journalAt(level: string): { journal: Journal; lines: Line[] } {
  const lines: Line[] = [];
  const write = (text: string): void => {
    const { time: _, ...line } = JSON.parse(text) as Line;
    lines.push(line);
  };
  return { journal: new Journal(pino({ level, base: null }, { write })), lines };
}

test('limits are summed up once a minute, by limit, with the address that hit it most', () => {
  const { journal, lines } = journalAt('info');
  journal.tick(1000);
  for (let count = 0; count < 500; count += 1) journal.refused('RATE_001', '192.0.2.1', null);
  journal.refused('RATE_001', '192.0.2.2', 'a');
  journal.refused('WS_004', '192.0.2.2', 'a');
  journal.refused('AUTH_001', '192.0.2.2', 'a');
  journal.closed(4529, '192.0.2.3');
  journal.closed(1000, '192.0.2.3');
  journal.tick(60_999);
  assert.deepEqual(lines, []);
  journal.tick(61_000);
  const msg = 'a limit was hit within the last minute';
  assert.deepEqual(lines, [
    { level: 40, limit: 'RATE_001', times: 501, addresses: 2, most: '192.0.2.1', share: 500, msg },
    { level: 40, limit: 'WS_004', times: 1, addresses: 1, most: '192.0.2.2', share: 1, msg },
    { level: 40, limit: 'messages', times: 1, addresses: 1, most: '192.0.2.3', share: 1, msg },
  ]);
  journal.tick(200_000);
  assert.equal(lines.length, 3);
});

test('however many clients there are, a minute has so many lines and a limit so many addresses', () => {
  const { journal, lines } = journalAt('info');
  journal.tick(0);
  for (let count = 0; count < 5000; count += 1) {
    journal.replaced('p', '192.0.2.1', '192.0.2.2');
    journal.resumeRefused('s', '192.0.2.1');
    journal.refused('RATE_002', String(count), null);
  }
  journal.tick(60_000);
  assert.equal(lines.length, 30 + 30 + 1 + 2);
  assert.deepEqual([lines[60]!['times'], lines[60]!['addresses']], [5000, 1000]);
  assert.deepEqual([lines[61]!['times'], lines[62]!['times']], [4970, 4970]);
  journal.replaced('p', '192.0.2.1', '192.0.2.2');
  assert.equal(lines.length, 64);
});

test('at debug each connection, refusal, session, subscription and write is a line; a text of a client has its bounds', () => {
  const { journal, lines } = journalAt('debug');
  const drive = ({ journal }: { journal: Journal }): void => {
    journal.connected('192.0.2.1', 'json');
    journal.authenticated('p', '192.0.2.1');
    journal.subscribed('s', '192.0.2.1');
    journal.written('advertise', 'p', null);
    journal.refused('AUTH_001', '192.0.2.1', 'x'.repeat(5000));
    journal.closed(1000, '192.0.2.1');
  };
  drive({ journal });
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['connection opened', 'authenticated', 'subscribed', 'written', 'refused', 'connection closed'],
  );
  assert.deepEqual(lines[4], {
    level: 20,
    code: 'AUTH_001',
    address: '192.0.2.1',
    provider: 'x'.repeat(200),
    msg: 'refused',
  });
  const quiet = journalAt('info');
  drive(quiet);
  assert.deepEqual(quiet.lines, []);
});
