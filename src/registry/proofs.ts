import { schemeOf } from '../protocol/provider-id.js';
import type { Proof } from '../protocol/signing.js';
import type { Store } from './store/store.js';

/** What a provider signed: undefined if there is no advertisement, null if it was not signed. */
export function proofOf(store: Store, providerId: string): Proof | null | undefined {
  const slot = store.find(providerId);
  if (slot === undefined) return undefined;
  const proof = store.proof(slot);
  if (proof === null) return null;
  const scheme = schemeOf(providerId);
  return {
    provider_id: providerId,
    scheme: scheme.name,
    public_key: scheme.sentKey === null ? null : proof.publicKey,
    t: proof.t,
    payload: Buffer.from(proof.payload).toString('utf8'),
    signature: proof.signature,
  };
}
