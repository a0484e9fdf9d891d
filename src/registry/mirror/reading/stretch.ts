import type { Database } from 'better-sqlite3';
import type { AdvertisementRecord, IdentityRecord } from '../../store/records.js';
import { RowBatcher } from '../../store/row-batch.js';
import { IS_LIVE, STANDING_COLUMNS } from '../copy/copy-tables.js';
import { StandingBatcher } from '../copy/standings.js';
import type { Runs } from '../database.js';
import type { Found, Stretch } from '../messages.js';
import { forEachRow } from './pages.js';
import { ADVERTISEMENT_COLUMNS, IDENTITY_COLUMNS, readAdvertisement, readIdentity } from '../rows.js';

/** Sends what was read, transferring the memory listed. */
type Say = (found: Found, travels?: readonly ArrayBuffer[]) => void;

/** How many records are sent together. */
const MAX_RECORDS = 500;
const MAX_STANDINGS = 5000;
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
  readonly #standings = new StandingBatcher();

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

  /** An advertisement of a copy. @param row As that of a hub's file, followed by whether it is live. */
  copied(row: readonly unknown[]): void {
    const stored = readAdvertisement(row, this.#runs);
    if (stored === null) {
      this.#skipped += 1;
      return;
    }
    const isLive = row[ADVERTISEMENT_COLUMNS.length] === 1;
    if (this.#signed.add(stored.record, stored.texts, isLive)) return;
    this.#sendCopied();
    if (!this.#signed.add(stored.record, stored.texts, isLive)) this.#skipped += 1;
  }

  standing(row: readonly unknown[]): void {
    if (this.#standings.add(row) === MAX_STANDINGS) this.#sendStandings();
  }

  identity(row: readonly unknown[]): void {
    const record = readIdentity(row);
    if (record === null) this.#skipped += 1;
    else if (this.#identities.push(record) === MAX_RECORDS) this.#sendIdentities();
  }

  sendRest(isCopy: boolean): void {
    if (isCopy) this.#sendCopied();
    else this.#sendSigned();
    this.#sendStandings();
    this.#sendUnsigned();
    this.#sendIdentities();
    this.#say({ kind: 'skipped', rows: this.#skipped });
  }

  #sendSigned(): void {
    this.#sendRows('signed');
  }

  #sendCopied(): void {
    this.#sendRows('copied');
  }

  #sendRows(kind: 'signed' | 'copied'): void {
    if (this.#signed.isEmpty) return;
    const batch = this.#signed.take();
    this.#say({ kind, batch }, [batch.slab.buffer, batch.numbers.buffer]);
  }

  #sendStandings(): void {
    const batch = this.#standings.take();
    this.#say({ kind: 'standings', batch }, [batch.numbers.buffer]);
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

/** Reads a stretch of all tables, prepares advertisements for the store, and sends what it finds, many rows at a time. */
export function readStretch(db: Database, stretch: Stretch, say: Say): void {
  const { runs, isCopy } = stretch;
  const sender = new Sender(runs, say);
  if (isCopy) readCopied(db, stretch, sender);
  else readAdvertisements(db, stretch, sender);
  forEachRow(
    db,
    'identities',
    IDENTITY_COLUMNS,
    stretch,
    (row) => {
      sender.identity(row);
    },
    IS_NOT_TOLD,
  );
  sender.sendRest(isCopy);
}

function readCopied(db: Database, stretch: Stretch, sender: Sender): void {
  forEachRow(db, 'advertisements', [...ADVERTISEMENT_COLUMNS, IS_LIVE], stretch, (row) => {
    sender.copied(row);
  });
  forEachRow(db, 'standings', STANDING_COLUMNS, stretch, (row) => {
    sender.standing(row);
  });
}

function readAdvertisements(db: Database, stretch: Stretch, sender: Sender): void {
  const identityOf = db
    .prepare<[unknown], unknown[]>(
      `SELECT ${IDENTITY_COLUMNS.join(', ')} FROM identities WHERE provider_id = ?`,
    )
    .raw();
  forEachRow(db, 'advertisements', ADVERTISEMENT_COLUMNS, stretch, (row) => {
    if (sender.advertisement(row) || row[PUBLIC_KEY] === null) return;
    // It has a proof, but none that implies a binding.
    for (const identity of identityOf.all(row[0])) sender.identity(identity);
  });
}
