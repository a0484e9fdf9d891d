import type { DurableEntry } from '../../../src/registry/entry.js';
import type { AdvertisementRecord, IdentityRecord } from '../../../src/registry/store/records.js';

/** The entry of an advertisement that comes from nowhere. */
export function advertised(
  record: AdvertisementRecord,
  identity: IdentityRecord | null = null,
  overSession = false,
): DurableEntry {
  return { kind: 'advertise', record, identity, overSession, origin: null };
}

export function withdrawn(providerId: string, identity: IdentityRecord | null = null): DurableEntry {
  return { kind: 'withdraw', providerId, identity };
}

export function bound(identity: IdentityRecord): DurableEntry {
  return { kind: 'bind', identity };
}
