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

/** Checks here, in the browser, what the hub shows against what the provider signed. */
export function ProofCheck({ advertisement }: { advertisement: PublishedAdvertisement }): JSX.Element {
  const result = useSignal<Result>({ kind: 'checking' });
  const { updated_at: _updated, expires_at: _expires, status: _status, ...content } = advertisement;
  useEffect(() => {
    const control = new AbortController();
    void check(advertisement, control.signal).then((checked) => {
      if (!control.signal.aborted) result.value = checked;
    });
    return () => control.abort();
    // A heartbeat signs nothing new.
  }, [JSON.stringify(content)]);
  return <Verdict result={result.value} providerId={advertisement.provider_id} />;
}

async function check(advertisement: PublishedAdvertisement, signal: AbortSignal): Promise<Result> {
  try {
    const proof = await hub.proof(advertisement.provider_id, { signal });
    if (proof === null) {
      return advertisement.verified
        ? { kind: 'broken', problem: 'the hub says that it is signed, and has nothing that was' }
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
          <strong>Not signed.</strong> Anybody could have written this; only the hub vouches for it.
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
          <strong>The proof is broken.</strong> Do not trust what you see here: {result.problem}.
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
        <strong>Signed, and unaltered.</strong> {who} signed exactly what you see here, on{' '}
        {formats.dateTime(signedAt)}. Your browser has checked it.
      </p>
      {publicKey !== null && publicKey !== providerId && (
        <p class="hint">
          That the name belongs to this key is the hub’s word: <code>{publicKey}</code>
        </p>
      )}
    </>
  );
}
