import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import {
  DiscoveryError,
  type PublishedAdvertisement,
  type VerifiedProof,
  verifyProof,
} from '../../../src/client/index.js';
import { formats } from '../../model/formats.js';
import { hub } from '../../state/hub.js';

type Result =
  | { readonly kind: 'checking' | 'unsigned' }
  | { readonly kind: 'holds'; readonly proof: VerifiedProof }
  | { readonly kind: 'broken' | 'unknown'; readonly problem: string };

/** Verifies in the browser that the provider signed what the hub shows. */
export function ProofCheck({ advertisement }: { advertisement: PublishedAdvertisement }): JSX.Element {
  const result = useSignal<Result>({ kind: 'checking' });
  const { updated_at: _updated, expires_at: _expires, status: _status, ...content } = advertisement;
  useEffect(() => {
    const control = new AbortController();
    void check(advertisement, control.signal).then((checked) => {
      if (!control.signal.aborted) result.value = checked;
    });
    return () => control.abort();
    // Heartbeats change the times only, which are not signed.
  }, [JSON.stringify(content)]);
  return <Verdict result={result.value} providerId={advertisement.provider_id} />;
}

async function check(advertisement: PublishedAdvertisement, signal: AbortSignal): Promise<Result> {
  try {
    const proof = await hub.proof(advertisement.provider_id, { signal });
    if (proof === null) {
      return advertisement.verified
        ? { kind: 'broken', problem: 'the hub marks it as signed but has no proof' }
        : { kind: 'unsigned' };
    }
    return { kind: 'holds', proof: verifyProof(proof, { published: advertisement }) };
  } catch (error) {
    const { code, message } = DiscoveryError.from(error, 'UNEXPECTED');
    return { kind: code === 'PROOF' ? 'broken' : 'unknown', problem: message };
  }
}

function Verdict({ result, providerId }: { result: Result; providerId: string }): JSX.Element {
  switch (result.kind) {
    case 'checking':
      return <p class="loading">Checking …</p>;
    case 'unsigned':
      return (
        <p class="verdict verdict-none" role="status">
          <strong>Not signed.</strong> Only the hub vouches for this advertisement.
        </p>
      );
    case 'unknown':
      return (
        <p class="verdict verdict-none" role="status">
          <strong>Not checked.</strong> {result.problem}
        </p>
      );
    case 'broken':
      return (
        <p class="verdict verdict-broken" role="alert">
          <strong>Invalid proof.</strong> Do not trust this advertisement: {result.problem}.
        </p>
      );
    case 'holds':
      return <Holds proof={result.proof} providerId={providerId} />;
  }
}

function Holds({ proof, providerId }: { proof: VerifiedProof; providerId: string }): JSX.Element {
  const { publicKey, signedAt } = proof;
  const who =
    publicKey === null
      ? 'The Ethereum account'
      : publicKey === providerId
        ? 'The provider’s own key'
        : 'The key below';
  return (
    <>
      <p class="verdict verdict-holds" role="status">
        <strong>Signature valid.</strong> {who} signed exactly what you see here, on{' '}
        {formats.dateTime(signedAt)}. Your browser verified it.
      </p>
      {publicKey !== null && publicKey !== providerId && (
        <p class="hint">
          Only the hub vouches that the name belongs to this key: <code>{publicKey}</code>
        </p>
      )}
    </>
  );
}
