import assert from 'node:assert/strict';
import test from 'node:test';
import { parseDatabaseUrl } from '../../../src/registry/mirror/location.js';

test('reads the forms of DISCOVERY_DB_URL', () => {
  for (const scheme of ['sqlite', 'sqlite+aiosqlite']) {
    assert.deepEqual(parseDatabaseUrl(`${scheme}:///discovery.db`), { kind: 'file', path: 'discovery.db' });
    assert.deepEqual(parseDatabaseUrl(`${scheme}:///data/hub.db`), { kind: 'file', path: 'data/hub.db' });
    assert.deepEqual(parseDatabaseUrl(`${scheme}:////var/lib/hub.db`), {
      kind: 'file',
      path: '/var/lib/hub.db',
    });
    assert.deepEqual(parseDatabaseUrl(`${scheme}:///:memory:`), { kind: 'memory' });
  }
});

test('refuses everything else', () => {
  const bad = [
    '',
    'discovery.db',
    'sqlite:',
    'sqlite://',
    'sqlite:///',
    'sqlite:/// ',
    'sqlite://discovery.db',
    'sqlite:////var/lib/',
    'sqlite:///a.db?mode=ro',
    'postgresql://localhost/discovery',
    'SQLITE:///a.db',
    'sqlite:///a\0.db',
  ];
  for (const url of bad) {
    assert.throws(
      () => parseDatabaseUrl(url),
      /^Error: must name a SQLite file: sqlite:\/\/\/discovery\.db/,
      url,
    );
  }
});
