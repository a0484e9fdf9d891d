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
  /** Who has signed. */
  providerId: string;
  /** How the signature is made. */
  scheme: SchemeName;
  /**
   * The key that signed; null where the provider id is an Ethereum address, whose account has signed. Whether a *name*
   * belongs to the key is the hub's word, unless the key is known from elsewhere.
   */
  publicKey: string | null;
  /** When the provider signed, Unix milliseconds, by its own clock. */
  signedAt: number;
  /** What the provider signed. */
  advertisement: Advertisement;
}

/** What a proof is to be held against. */
export interface ProofExpectation {
  /** What a hub shows of the provider: it has to be just what the provider signed. */
  published?: PublishedAdvertisement | undefined;
  /** The key that has to have signed, for names whose key is known. */
  publicKey?: string | undefined;
}

/**
 * Checks what a provider signed, without trusting the hub that passed it on: form, key, signature, content, and
 * that whoever the provider id names has signed.
 * @throws DiscoveryError `PROOF` with what does not hold.
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
    refuse('another key than the expected one has signed it');
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
    if (!saysTheSame(advertisement, published)) refuse('the hub shows something else than what was signed');
  }
  return { providerId, scheme, publicKey, signedAt: t, advertisement };
}

function refuse(problem: string, cause?: unknown): never {
  throw new DiscoveryError('PROOF', `the proof does not hold: ${problem}`, { cause });
}
