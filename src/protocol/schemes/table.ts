import { ED25519 } from './ed25519.js';
import { type SignedFields, signedBytes } from '../signing.js';
import { EIP191 } from './ethereum.js';
import type { SchemeName, SignatureScheme } from './scheme.js';

/** All schemes. A scheme's place here is its number where threads exchange it. */
export const SCHEMES: readonly SignatureScheme[] = [ED25519, EIP191];

/** The scheme that names are signed with: the first valid signature binds a name to its key. */
export const NAME_SCHEME = ED25519;

/** Finds a scheme by its name; undefined when there is none. */
export function schemeNamed(name: string): SignatureScheme | undefined {
  return SCHEMES.find((scheme) => scheme.name === name);
}

function anyOf(patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join('|'));
}

const SENT_KEYS = SCHEMES.flatMap(({ sentKey }) => sentKey ?? []);

/** A key of any scheme, as it is sent beside a signature. */
export const KEY_PATTERN = anyOf(SENT_KEYS.map(({ pattern }) => pattern));
/** What such a key looks like, in words. */
export const KEY_FORM = SENT_KEYS.map(({ form }) => form).join(' or ');
/** A signature of any scheme. */
export const SIGNATURE_PATTERN = anyOf(SCHEMES.map(({ signaturePattern }) => signaturePattern));
/** What a signature looks like, in words. */
export const SIGNATURE_FORM = SCHEMES.map(({ signatureForm }) => signatureForm).join(' or ');

/** Verifies with what runs everywhere. The hub uses faster libraries, which agree with it, because the one here takes milliseconds. */
export function verifySignature(
  scheme: SignatureScheme,
  fields: SignedFields,
  key: string,
  signature: string,
): boolean {
  return scheme.isAcceptable(key, signature) && scheme.verify(signedBytes(fields), key, signature);
}

export type { SchemeName, SignatureScheme };
