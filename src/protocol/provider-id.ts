import { NAME_SCHEME, SCHEMES, type SignatureScheme } from './schemes/table.js';

/**
 * The three kinds of provider id:
 * - `key`: an Ed25519 public key, which nobody else can ever use;
 * - `ethereum`: an Ethereum address, which nobody else can use once its owner has signed;
 * - `name`: chosen freely and bound to the first key that signs for it.
 */
export type ProviderIdKind = 'key' | 'ethereum' | 'name';

/** Matches every provider id, but also some other texts: see `readProviderId`. */
export const PROVIDER_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
/** Matches what people and programs would take for a key or an address. Such a text is never a name, to prevent impersonation. */
const LOOKALIKE_PATTERN = /^(?:[0-9a-f]{64}|0x[0-9a-f]{40})$/i;

/** A provider id. */
export interface ProviderId {
  /** Its canonical form, the only one that is stored, signed and sent out. */
  readonly id: string;
  readonly kind: ProviderIdKind;
  /** How its owner signs. */
  readonly scheme: SignatureScheme;
}

/** Parses a provider id in any accepted spelling; null if it is none. */
export function readProviderId(text: string): ProviderId | null {
  for (const scheme of SCHEMES) {
    const id = scheme.canonicalId(text);
    if (id !== null) return { id, kind: scheme.idKind, scheme };
  }
  if (!PROVIDER_ID_PATTERN.test(text) || LOOKALIKE_PATTERN.test(text)) return null;
  return { id: text, kind: 'name', scheme: NAME_SCHEME };
}

/** The canonical form of a provider id; any other text is returned unchanged, and names nobody. */
export function canonicalProviderId(text: string): string {
  return readProviderId(text)?.id ?? text;
}

/** The scheme that the owner of a provider id signs with. The id must be canonical. */
export function schemeOf(providerId: string): SignatureScheme {
  return ownSchemeOf(providerId) ?? NAME_SCHEME;
}

/** The kind of a provider id, which must be canonical. */
export function providerIdKind(providerId: string): ProviderIdKind {
  return ownSchemeOf(providerId)?.idKind ?? 'name';
}

/** The scheme whose key an id is. Only checks its form, because checksums cost a hash. */
function ownSchemeOf(providerId: string): SignatureScheme | undefined {
  return SCHEMES.find(({ idPattern }) => idPattern.test(providerId));
}
