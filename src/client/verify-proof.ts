import * as z from 'zod';
import type { Advertisement, PublishedAdvertisement } from '../protocol/advertisement.js';
import { readProviderId } from '../protocol/provider-id.js';
import { KEY_PATTERN, SIGNATURE_PATTERN, verifySignature } from '../protocol/schemes/table.js';
import type { Proof } from '../protocol/signing.js';
import { isWellFormed } from '../protocol/text.js';
import { readAdvertisement, saysTheSame } from './content.js';
import { DiscoveryError } from './errors.js';

export const proofSchema: z.ZodType<Proof> = z.object({
  provider_id: z.string(),
  public_key: z.string().regex(KEY_PATTERN),
  t: z.int().min(0),
  payload: z.string().refine(isWellFormed),
  signature: z.string().regex(SIGNATURE_PATTERN),
});

/** What a proof proves. */
export interface VerifiedProof {
  providerId: string;
  /** The key that signed. Whether a *name* belongs to it is the hub's word, unless the key is known from elsewhere. */
  publicKey: string;
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
 * that a key id is the key that signed.
 * @throws DiscoveryError `PROOF` with what does not hold.
 */
export function verifyProof(proof: Proof, expected: ProofExpectation = {}): VerifiedProof {
  const parsed = proofSchema.safeParse(proof);
  if (!parsed.success) refuse('it does not have the form of a proof');
  const { provider_id: providerId, public_key: publicKey, t, payload, signature } = parsed.data;
  const id = readProviderId(providerId);
  if (id?.id !== providerId || id.scheme === null)
    return refuse('its provider id is none that a key can own');
  if (id.kind === 'key' && providerId !== publicKey)
    refuse('its provider id is the public key of another key');
  if (expected.publicKey !== undefined && expected.publicKey !== publicKey) {
    refuse('another key than the expected one has signed it');
  }
  if (!verifySignature(id.scheme, { action: 'advertise', providerId, t, payload }, publicKey, signature)) {
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
  return { providerId, publicKey, signedAt: t, advertisement };
}

function refuse(problem: string, cause?: unknown): never {
  throw new DiscoveryError('PROOF', `the proof does not hold: ${problem}`, { cause });
}
