import { NAME_SCHEME, SCHEMES, type SignatureScheme } from './schemes/table.js';

/**
 * The three kinds of provider id:
 * - `key`: a key of a signature scheme;
 * - `name`: chosen freely and bound to the first key that signs for it;
 * - `ethereum`: `0x` and 40 hex digits, reserved until such signatures can be verified.
 */
export type ProviderIdKind = 'key' | 'name' | 'ethereum';

/** All that any provider id is made of. Not every such text is one: see `readProviderId`. */
export const PROVIDER_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const ETHEREUM_PATTERN = /^0x[0-9a-fA-F]{40}$/;
/** What people and programs take for a key or an address. Such a text is never a name, lest it pass for somebody else. */
const LOOKALIKE_PATTERN = /^(?:[0-9a-f]{64}|0x[0-9a-f]{40})$/i;

/** A provider id. */
export interface ProviderId {
  /** Its canonical form, the only one that is stored, signed and sent out. */
  readonly id: string;
  readonly kind: ProviderIdKind;
  /** How its owner signs; null while nobody can sign for such an id. */
  readonly scheme: SignatureScheme | null;
}

/** Reads a provider id in any spelling that comes in; null when it is none. */
export function readProviderId(text: string): ProviderId | null {
  for (const scheme of SCHEMES) {
    const id = scheme.canonicalId(text);
    if (id !== null) return { id, kind: 'key', scheme };
  }
  if (ETHEREUM_PATTERN.test(text)) return { id: text, kind: 'ethereum', scheme: null };
  if (!PROVIDER_ID_PATTERN.test(text) || LOOKALIKE_PATTERN.test(text)) return null;
  return { id: text, kind: 'name', scheme: NAME_SCHEME };
}

/** The scheme that the owner of a provider id signs with. The id is in its canonical form. */
export function schemeOf(providerId: string): SignatureScheme {
  return SCHEMES.find(({ idPattern }) => idPattern.test(providerId)) ?? NAME_SCHEME;
}

/** Tells which kind of id this is; null when it is none. */
export function providerIdKind(id: string): ProviderIdKind | null {
  return readProviderId(id)?.kind ?? null;
}
