/** The names of the schemes, as used in proofs. */
export type SchemeName = 'ed25519' | 'eip191';

/**
 * One way of signing. Everything specific to it is in its entry of the table (table.ts). Hubs verify with faster libraries than browsers
 * have, which they look up by the scheme's name (src/registry/write/verifier).
 *
 * A key is what a signature is checked against, in the text form that owners of provider ids are compared in.
 */
export interface SignatureScheme {
  readonly name: SchemeName;
  /** Who signs this way, in words. */
  readonly signers: string;
  /** The field of `X-Provider-Signature` that has the signature. */
  readonly headerField: string;
  /** The whole value of that header, in words for somebody who sent another one. */
  readonly headerForm: string;
  /** The key that is sent beside a signature: its text form, also in words; null where the id says it all. */
  readonly sentKey: { readonly pattern: RegExp; readonly form: string } | null;
  /** The texts of a signature that come in. */
  readonly signaturePattern: RegExp;
  /** What such a text is, in words for somebody who sent another one. */
  readonly signatureForm: string;
  readonly keyBytes: number;
  readonly signatureBytes: number;
  /** What provider ids are that are keys of this scheme. */
  readonly idKind: 'key' | 'ethereum';
  /** Such an id, in whichever spelling; a checksum is not looked at. */
  readonly idPattern: RegExp;
  /** The canonical form of a provider id that is a key of this scheme, in any spelling that comes in; null for other texts. */
  readonly canonicalId: (text: string) => string | null;
  /** The bytes of a key in hex, two digits each. */
  readonly keyHex: (key: string) => string;
  /** The bytes of a signature in hex, in any text form that comes in; null for other texts. */
  readonly canonicalSignature: (text: string) => string | null;
  /**
   * Whether a signer makes such a key and signature, in their canonical forms. Libraries judge others differently, so they
   * are refused before any library is asked.
   */
  readonly isAcceptable: (key: string, signature: string) => boolean;
  /** Verifies what is acceptable, wherever JavaScript runs. */
  readonly verify: (bytes: Uint8Array, key: string, signature: string) => boolean;
}
