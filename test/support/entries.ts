import type { Entry } from '../../src/registry/entry.js';
import type { AdvertisementRecord } from '../../src/registry/store/records.js';

/** The entry of an advertisement from nowhere that binds nothing. */
export function advertised(record: AdvertisementRecord, overSession = false): Entry {
  return { kind: 'advertise', record, identity: null, overSession, origin: null };
}

/** The entry of a withdrawal that binds nothing. */
export function withdrawn(providerId: string): Entry {
  return { kind: 'withdraw', providerId, identity: null };
}
