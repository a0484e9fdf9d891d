import type { Database } from 'better-sqlite3';
import { LIMITS } from '../../protocol/limits.js';
import { isOperationFault } from './failures.js';
import type { AdvertisementRow, CountRow, IdentityRow, Operation, Refusal } from './messages.js';
import { ADVERTISEMENT_COLUMNS, COUNT_COLUMNS, IDENTITY_COLUMNS } from './rows.js';
import { formatTime } from './time.js';
import { upsert } from './upsert.js';

/**
 * How many identities one purge checks, so that it never delays awaited writes. The next purge continues from there: an index on `seen_at`
 * would slow down every advertisement by a third.
 */
const FORGET_WINDOW = 20_000;

/**
 * Writes all operations in one transaction, which is durable when this returns. Operations that fail because of their content are skipped
 * and returned.
 * @throws SqliteError if nothing was written.
 */
export type BatchWriter = (operations: readonly Operation[]) => Refusal[];

/**
 * Prepares the statements on a database with the current schema.
 * @param fencingToken Marks attached rows, so that a later run can tell during which run they were.
 */
export function createBatchWriter(db: Database, fencingToken: number): BatchWriter {
  const putAdvertisement = db.prepare<[unknown[]]>(upsert('advertisements', ADVERTISEMENT_COLUMNS));
  const putIdentity = db.prepare<[IdentityRow]>(upsert('identities', IDENTITY_COLUMNS));
  // Heartbeats only reach the advertisement, so its identity takes them over when the advertisement is removed.
  // An unsigned one is no heartbeat of the owner: it must not revive the lapsed binding of a key that is long gone.
  const keepLastSeen = db.prepare<[string]>(`UPDATE identities
    SET seen_at = max(seen_at, coalesce(1000 * unixepoch(advertisements.updated_at), 0))
    FROM advertisements
    WHERE identities.provider_id = ? AND advertisements.provider_id = identities.provider_id
      AND advertisements.public_key IS NOT NULL`);
  const remove = db.prepare<[string]>('DELETE FROM advertisements WHERE provider_id = ?');
  const heartbeat = db.prepare<[string, number, string]>(
    'UPDATE advertisements SET updated_at = ?, attached = ? WHERE provider_id = ?',
  );
  const windowAfter = db.prepare<[number, number], { size: number; last: number | null }>(
    `SELECT count(*) AS size, max(rowid) AS last FROM (
      SELECT rowid FROM identities WHERE rowid > ? ORDER BY rowid LIMIT ?
    )`,
  );
  const forget = db.prepare<[number, number, number, number]>(`DELETE FROM identities
    WHERE rowid > ? AND rowid <= ? AND (seen_at < ? OR (seen_at < ? AND provider_id = public_key)) AND NOT EXISTS (
      SELECT 1 FROM advertisements WHERE advertisements.provider_id = identities.provider_id
    )`);
  const saveClock = db.prepare<[number, number, number, string | null, number | null]>(
    upsert('runs', ['fencing_token', 'steady', 'wall', 'boot_id', 'uptime']),
  );
  const putCount = db.prepare<[CountRow]>(upsert('counts', COUNT_COLUMNS, 2));
  const forgetCounts = db.prepare<[number, number]>(
    'DELETE FROM counts WHERE rowid IN (SELECT rowid FROM counts WHERE ends_at <= ? LIMIT ?)',
  );
  const touch = db.prepare<[]>('UPDATE hub SET starts = starts');

  let forgottenUpTo = 0;
  function forgetNext(wall: number): void {
    const { size = 0, last = null } = windowAfter.get(forgottenUpTo, FORGET_WINDOW) ?? {};
    if (last !== null) {
      forget.run(forgottenUpTo, last, wall - LIMITS.bindingLifetimeMs, wall - LIMITS.keyMemoryMs);
    }
    forgottenUpTo = size < FORGET_WINDOW ? 0 : (last ?? 0);
  }

  function apply(operation: Operation): void {
    switch (operation[0]) {
      case 'advertise':
        putAdvertisement.run(toStored(operation[1], fencingToken));
        if (operation[2] !== null) putIdentity.run(operation[2]);
        break;
      case 'remove':
        keepLastSeen.run(operation[1]);
        remove.run(operation[1]);
        if (operation[2] !== null) putIdentity.run(operation[2]);
        break;
      case 'identity':
        putIdentity.run(operation[1]);
        break;
      case 'heartbeat':
        heartbeat.run(formatTime(operation[2]), operation[3] * fencingToken, operation[1]);
        break;
      case 'count':
        putCount.run(operation[1]);
        break;
      case 'forget':
        forgetNext(operation[1]);
        forgetCounts.run(operation[1], FORGET_WINDOW);
        break;
      case 'clock': {
        const { steady, wall, boot } = operation[1];
        saveClock.run(fencingToken, steady, wall, boot?.id ?? null, boot?.uptimeMs ?? null);
        break;
      }
    }
  }

  const applyAll = db.transaction((operations: readonly Operation[]) => {
    operations.forEach(apply);
    if (operations.length === 0) touch.run();
  });

  // Inside another transaction this is a savepoint.
  const applyAlone = db.transaction(apply);
  const applyOneByOne = db.transaction((operations: readonly Operation[]) => {
    const refusals: Refusal[] = [];
    operations.forEach((operation, index) => {
      try {
        applyAlone(operation);
      } catch (error) {
        if (!isOperationFault(error)) throw error;
        refusals.push([index, (error as Error).message]);
      }
    });
    return refusals;
  });

  return (operations) => {
    try {
      applyAll(operations);
      return [];
    } catch (error) {
      if (!isOperationFault(error)) throw error;
      return applyOneByOne(operations);
    }
  };
}

function toStored(row: AdvertisementRow, fencingToken: number): unknown[] {
  const values: unknown[] = [...row];
  values[6] = formatTime(row[6]);
  values[7] = formatTime(row[7]);
  values[14] = row[14] * fencingToken;
  return values;
}
