import type { Database } from 'better-sqlite3';
import type { AdvertisementRecord, IdentityRecord } from '../../store/records.js';
import { RowBatcher } from '../../store/row-batch.js';
import type { Runs } from '../database.js';
import type { Found, Stretch } from '../messages.js';
import { forEachRow } from './pages.js';
import { ADVERTISEMENT_COLUMNS, IDENTITY_COLUMNS, readAdvertisement, readIdentity } from '../rows.js';

/** Sends what was read, transferring the memory listed. */
type Say = (found: Found, travels?: readonly ArrayBuffer[]) => void;

/** How many records are sent together. */
const MAX_RECORDS = 500;
const PUBLIC_KEY = ADVERTISEMENT_COLUMNS.indexOf('public_key');

/**
 * Skips bindings that an advertisement implies. Both are first written together and so mostly have the same row number, which makes this
 * cheaper than sending them; the sink has to cope with those not found here.
 */
const IS_NOT_TOLD = `NOT EXISTS (
  SELECT 1 FROM advertisements AS a WHERE a.rowid = identities.rowid AND a.provider_id = identities.provider_id
    AND a.public_key = identities.public_key AND a.signed_at = identities.last_t
)`;

/** Sends what was read, many rows at a time. */
class Sender {
  readonly #say: Say;
  readonly #signed = new RowBatcher();
  #unsigned: AdvertisementRecord[] = [];
  #identities: IdentityRecord[] = [];
  readonly #runs: Runs;
  #skipped = 0;

  constructor(runs: Runs, say: Say) {
    this.#runs = runs;
    this.#say = say;
  }

  /** @returns Whether it exists and is signed. */
  advertisement(row: readonly unknown[]): boolean {
    const stored = readAdvertisement(row, this.#runs);
    if (stored === null) {
      this.#skipped += 1;
      return false;
    }
    const { record, texts } = stored;
    if (record.proof === null) {
      this.#unsigned.push(record);
      if (this.#unsigned.length === MAX_RECORDS) this.#sendUnsigned();
      return false;
    }
    if (this.#signed.add(record, texts)) return true;
    this.#sendSigned();
    if (this.#signed.add(record, texts)) return true;
    // A row too large for an empty slab is too large for the arena.
    this.#skipped += 1;
    return false;
  }

  identity(row: readonly unknown[]): void {
    const record = readIdentity(row);
    if (record === null) this.#skipped += 1;
    else if (this.#identities.push(record) === MAX_RECORDS) this.#sendIdentities();
  }

  sendRest(): void {
    this.#sendSigned();
    this.#sendUnsigned();
    this.#sendIdentities();
    this.#say({ kind: 'skipped', rows: this.#skipped });
  }

  #sendSigned(): void {
    if (this.#signed.isEmpty) return;
    const batch = this.#signed.take();
    this.#say({ kind: 'signed', batch }, [batch.slab.buffer, batch.numbers.buffer]);
  }

  #sendUnsigned(): void {
    this.#say({ kind: 'unsigned', records: this.#unsigned });
    this.#unsigned = [];
  }

  #sendIdentities(): void {
    this.#say({ kind: 'identities', records: this.#identities });
    this.#identities = [];
  }
}

/** Reads a stretch of both tables, prepares signed advertisements for the store, and sends what it finds, many rows at a time. */
export function readStretch(db: Database, { runs, from, to }: Stretch, say: Say): void {
  const sender = new Sender(runs, say);
  const identityOf = db
    .prepare<[unknown], unknown[]>(
      `SELECT ${IDENTITY_COLUMNS.join(', ')} FROM identities WHERE provider_id = ?`,
    )
    .raw();
  forEachRow(db, 'advertisements', ADVERTISEMENT_COLUMNS, { from, to }, (row) => {
    if (sender.advertisement(row) || row[PUBLIC_KEY] === null) return;
    // It has a proof, but none that implies a binding.
    for (const identity of identityOf.all(row[0])) sender.identity(identity);
  });
  forEachRow(
    db,
    'identities',
    IDENTITY_COLUMNS,
    { from, to },
    (row) => {
      sender.identity(row);
    },
    IS_NOT_TOLD,
  );
  sender.sendRest();
}
