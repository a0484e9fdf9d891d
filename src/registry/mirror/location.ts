/** Where the mirror keeps its data. Relative paths are relative to the working directory. */
export type DatabaseLocation = { kind: 'file'; path: string } | { kind: 'memory' };

const PATTERN = /^sqlite(?:\+aiosqlite)?:\/\/\/([^?#]+)$/;

/**
 * Parses `DISCOVERY_DB_URL`: `sqlite:///relative.db`, `sqlite:////absolute.db` or `sqlite:///:memory:`, each also with
 * `sqlite+aiosqlite:`. The path is taken literally, without percent-decoding.
 * @throws Error for anything else; the message says what it must be.
 */
export function parseDatabaseUrl(url: string): DatabaseLocation {
  const path = PATTERN.exec(url)?.[1]?.trim() ?? '';
  if (path === '' || path.endsWith('/') || path.includes('\0')) {
    throw new Error(
      'must name a SQLite file: sqlite:///discovery.db, sqlite:////absolute/path.db or sqlite:///:memory:',
    );
  }
  return path === ':memory:' ? { kind: 'memory' } : { kind: 'file', path };
}
