import * as z from 'zod';
import type { Advertisement, PublishedAdvertisement } from '../../protocol/advertisement.js';
import { readProviderId } from '../../protocol/provider-id.js';
import { ED25519 } from '../../protocol/schemes/ed25519.js';
import {
  KEY_PATTERN,
  SCHEMES,
  type SchemeName,
  SIGNATURE_PATTERN,
  verifySignature,
} from '../../protocol/schemes/table.js';
import type { Proof, SignedFields } from '../../protocol/signing.js';
import { isWellFormed } from '../../protocol/text.js';
import { readAdvertisement, saysTheSame } from '../content.js';
import { DiscoveryError } from '../errors.js';

/** A proof as hubs send it. Those that know one scheme only do not name it. */
export type ProofInput = Omit<Proof, 'scheme'> & {
  /** How the signature is made; Ed25519 unless given. */
  scheme?: SchemeName | undefined;
};

export const proofSchema: z.ZodType<Proof> = z.object({
  provider_id: z.string(),
  scheme: z.enum(SCHEMES.map(({ name }) => name)).default(ED25519.name),
  public_key: z.string().regex(KEY_PATTERN).nullable(),
  t: z.int().min(0),
  payload: z.string().refine(isWellFormed),
  signature: z.string().regex(SIGNATURE_PATTERN),
});

/** What a proof proves. */
export interface VerifiedProof {
  /** The provider that signed. */
  providerId: string;
  /** The signature scheme. */
  scheme: SchemeName;
  /**
   * The key that signed; null if the provider id is an Ethereum address, whose account signed. For a *name*, you only have the hub's word that it
   * belongs to the key, unless you know the key from elsewhere.
   */
  publicKey: string | null;
  /** When the provider signed, Unix milliseconds, by its own clock. */
  signedAt: number;
  /** What the provider signed. */
  advertisement: Advertisement;
}

/** What to compare a proof with. */
export interface ProofExpectation {
  /** The advertisement that a hub shows, which must be exactly what the provider signed. */
  published?: PublishedAdvertisement | undefined;
  /** The key that must have signed, for names whose key is known. */
  publicKey?: string | undefined;
}

/**
 * Verifies what a provider signed, without trusting the hub: form, key, signature, content, and that the owner of the provider id signed.
 * @throws DiscoveryError `PROOF` saying what does not hold.
 */
export function verifyProof(proof: ProofInput, expected: ProofExpectation = {}): VerifiedProof {
  const parsed = proofSchema.safeParse(proof);
  if (!parsed.success) refuse('it does not have the form of a proof');
  const { provider_id: providerId, scheme, public_key: publicKey, t, payload, signature } = parsed.data;
  const id = readProviderId(providerId);
  if (id?.id !== providerId) return refuse('its provider id is none, or not in its canonical form');
  if (id.scheme.name !== scheme) refuse(`its provider id does not sign with ${scheme}`);
  if ((publicKey === null) !== (id.scheme.sentKey === null)) refuse('it does not have the form of a proof');
  if (id.kind === 'key' && providerId !== publicKey)
    refuse('its provider id is the public key of another key');
  if (expected.publicKey !== undefined && expected.publicKey !== publicKey) {
    refuse('another key, not the expected one, signed it');
  }
  const signed = id.scheme.canonicalSignature(signature);
  const fields: SignedFields = { action: 'advertise', providerId, t, payload };
  if (signed === null || !verifySignature(id.scheme, fields, publicKey ?? providerId, signed)) {
    refuse('the signature is not valid');
  }
  let advertisement: Advertisement;
  try {
    advertisement = readAdvertisement(payload);
  } catch (cause) {
    return refuse(`what was signed is not an advertisement: ${(cause as Error).message}`, cause);
  }
  const { published } = expected;
  if (published !== undefined) {
    if (published.provider_id !== providerId) refuse(`it is not of provider ${published.provider_id}`);
    if (!saysTheSame(advertisement, published)) refuse('the hub shows something other than what was signed');
  }
  return { providerId, scheme, publicKey, signedAt: t, advertisement };
}

function refuse(problem: string, cause?: unknown): never {
  throw new DiscoveryError('PROOF', `the proof does not hold: ${problem}`, { cause });
}
