import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  loadMirror,
  type LoadedMirror,
  type MirrorLogger,
} from '../../../src/registry/mirror/reading/load.js';
import { threadScript } from '../../../src/lib/thread-script.js';
import type { DatabaseLocation } from '../../../src/registry/mirror/location.js';
import type { Operation, Request, WorkerSetup } from '../../../src/registry/mirror/messages.js';
import { Mirror } from '../../../src/registry/mirror/mirror.js';
import { proofIn, rowBytes } from '../../../src/registry/store/packed-row.js';
import type {
  AdvertisementRecord,
  CountRecord,
  IdentityRecord,
} from '../../../src/registry/store/records.js';
import { AttributeColumns, VALUES, IP_CONFIRMED } from '../../../src/registry/store/columns.js';
import { type RowBatch, rowIn } from '../../../src/registry/store/row-batch.js';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import { CONTENT } from '../../support/data/contents.js';

/** Bytes that an address of the arena counts. */
const UNIT = 16;

export const T0 = Date.UTC(2025, 1, 20, 15, 0, 0, 123);

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'mirror-'));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export function advertisementOf(
  providerId: string,
  changes: Partial<AdvertisementRecord> = {},
): AdvertisementRecord {
  return {
    providerId,
    ...CONTENT,
    createdAt: T0,
    updatedAt: T0,
    proof: null,
    ipConfirmed: false,
    attached: false,
    ...changes,
  };
}

export function identityOf(providerId: string, changes: Partial<IdentityRecord> = {}): IdentityRecord {
  return { providerId, publicKey: 'ab'.repeat(32), lastT: T0, seenAt: T0, ...changes };
}

/** A log that keeps its lines, and tells of each. */
export class TestLog implements MirrorLogger {
  readonly lines: string[] = [];
  readonly #waiting: { pattern: RegExp; resolve: () => void }[] = [];
  readonly info = (message: string): void => {
    this.lines.push(message);
    for (const { pattern, resolve } of this.#waiting) if (pattern.test(message)) resolve();
  };
  readonly warn = this.info;
  readonly error = this.info;

  /** Resolves with the next line like this one. Keeps the process alive for it, as a server's socket would. */
  async next(pattern: RegExp): Promise<void> {
    const alive = setInterval(() => undefined, 60_000);
    await new Promise<void>((resolve) => {
      this.#waiting.push({ pattern, resolve });
    });
    clearInterval(alive);
  }
}

export interface Stored {
  loaded: LoadedMirror;
  advertisements: Map<string, AdvertisementRecord>;
  identities: Map<string, IdentityRecord>;
  counts: CountRecord[];
}

/** What the rows of a batch say, read from the bytes that clients would get. */
export function recordsIn(batch: RowBatch): AdvertisementRecord[] {
  return batch.ids.map((providerId, index) => {
    const { headBytes, address, proofBytes, ...row } = rowIn(batch, index);
    const from = address * UNIT;
    const bytes = Buffer.from(batch.slab.buffer, from, rowBytes(headBytes, proofBytes));
    const head = JSON.parse(`${bytes.toString('utf8', 0, headBytes)}}`) as PublishedAdvertisement;
    const proof = proofIn(bytes, headBytes, providerId);
    assert.equal(head.provider_id, providerId);
    const columns = new AttributeColumns(1);
    columns.write(0, row.attributes, row.from);
    VALUES.forEach((name, place) => {
      assert.equal(head[name], batch.texts[columns.values[place]![0]!]);
    });
    return {
      providerId,
      ipAddress: head.ip_address,
      country: head.country,
      resources: head.resources,
      platform: head.platform,
      pricing: head.pricing,
      name: head.name,
      paymentsNetwork: head.payments_network,
      attributes: head.attributes,
      endpoint: head.endpoint,
      createdAt: Date.parse(head.created_at),
      updatedAt: row.updatedAt,
      proof: { ...proof, payload: Buffer.from(proof.payload) },
      ipConfirmed: columns.flags[IP_CONFIRMED]![0] === 1,
      attached: row.attached,
    };
  });
}

/** Loads all that is stored. */
export async function load(location: DatabaseLocation, log: MirrorLogger = new TestLog()): Promise<Stored> {
  const advertisements = new Map<string, AdvertisementRecord>();
  const identities = new Map<string, IdentityRecord>();
  const counts: CountRecord[] = [];
  let rows = 0;
  const loaded = await loadMirror(
    location,
    {
      clock: () => undefined,
      expect: () => undefined,
      identity: (record) => identities.set(record.providerId, record),
      advertisement: (record) => {
        rows += 1;
        advertisements.set(record.providerId, record);
      },
      copied: () => undefined,
      rows: (batch) => {
        rows += batch.ids.length;
        for (const record of recordsIn(batch)) advertisements.set(record.providerId, record);
      },
      count: (record) => counts.push(record),
      isConsistent: () => rows === advertisements.size,
      reset: () => {
        rows = 0;
        advertisements.clear();
        identities.clear();
        counts.length = 0;
      },
    },
    log,
  );
  return { loaded, advertisements, identities, counts };
}

export async function loadFile(path: string, log?: MirrorLogger): Promise<Stored> {
  return load({ kind: 'file', path }, log);
}

/** What an operation does, and to whom; null for the clock, which comes with whatever else is written. */
function nameOf(operation: Operation): string | null {
  if (operation[0] === 'clock') return null;
  const [kind, subject] = operation;
  return `${kind} ${String(Array.isArray(subject) ? subject[0] : subject)}`;
}

/** A worker whose requests can be held back and counted. */
export class ObservedWorker extends Worker {
  readonly batches: string[][] = [];
  #gate: Promise<void> | null = null;

  /** Keeps requests back until the returned function is called. */
  hold(): () => void {
    let release = (): void => undefined;
    this.#gate = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  override postMessage(value: Request): void {
    if (value.kind === 'write') this.batches.push(value.body.flatMap((operation) => nameOf(operation) ?? []));
    if (this.#gate === null) super.postMessage(value);
    else
      void this.#gate.then(() => {
        super.postMessage(value);
      });
  }
}

/** A mirror whose workers a test can get hold of. */
export class ObservedMirror extends Mirror {
  readonly workers: ObservedWorker[] = [];

  get worker(): ObservedWorker {
    return this.workers.at(-1)!;
  }

  protected override spawnWorker(setup: WorkerSetup): Worker {
    const worker = new ObservedWorker(threadScript('mirror'), { workerData: setup });
    this.workers.push(worker);
    return worker;
  }
}

export async function openMirror(path: string, log: MirrorLogger = new TestLog()): Promise<ObservedMirror> {
  return ObservedMirror.open((await loadFile(path, log)).loaded, log);
}
