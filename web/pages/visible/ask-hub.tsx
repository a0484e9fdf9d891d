import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';
import {
  DiscoveryError,
  ProviderSession,
  type PublishedAdvertisement,
  type Signer,
  type Visibility,
} from '../../../src/client/index.js';
import { formats } from '../../model/formats.js';
import { hubUrl } from '../../state/hub.js';

export interface AskHubProps {
  readonly advertisement: PublishedAdvertisement;
  readonly signer: Signer;
}

/** Asks the hub, as the provider, who sees it. This takes a session, and a provider has only one at a time. */
export function AskHub({ advertisement, signer }: AskHubProps): JSX.Element {
  const answer = useSignal<Visibility | null>(null);
  const problem = useSignal<string | null>(null);
  const isAsking = useSignal(false);
  const ask = async (): Promise<void> => {
    isAsking.value = true;
    try {
      answer.value = await askAs(signer, advertisement);
      problem.value = null;
    } catch (error) {
      problem.value = DiscoveryError.from(error, 'UNEXPECTED').message;
    }
    isAsking.value = false;
  };
  return (
    <section class="panel">
      <h2>Who sees it now</h2>
      <p>
        Only the provider itself may ask. This page briefly signs in with your key.{' '}
        <strong>A daemon connected with the same key is disconnected</strong> and must be restarted.
      </p>
      <p>
        <button type="button" disabled={isAsking.value} onClick={() => void ask()}>
          {isAsking.value ? 'Asking …' : 'Sign in and ask'}
        </button>
      </p>
      {problem.value !== null && (
        <p class="notice" role="alert">
          {problem.value}
        </p>
      )}
      {answer.value !== null && <Sight visibility={answer.value} />}
    </section>
  );
}

/** Opens a session with the stored content, so that the advertisement does not change, and closes it after the answer. */
async function askAs(key: Signer, advertisement: PublishedAdvertisement): Promise<Visibility> {
  const { ip_address, country, resources } = advertisement;
  const { platform, pricing, name, payments_network, attributes, endpoint } = advertisement;
  const content = {
    ip_address,
    country,
    resources,
    platform,
    pricing,
    name,
    payments_network,
    attributes,
    endpoint,
  };
  const session = new ProviderSession(hubUrl, { key, advertisement: content }).start();
  try {
    await session.published();
    return await session.visibility();
  } finally {
    await session.stop();
  }
}

function Sight({
  visibility: { streams, subscribers, missed, price },
}: {
  visibility: Visibility;
}): JSX.Element {
  return (
    <div role="status">
      <p>
        {formats.count(subscribers)} {subscribers === 1 ? 'subscriber follows' : 'subscribers follow'}{' '}
        {formats.count(streams)} {streams === 1 ? 'search that matches' : 'searches that match'} it.
      </p>
      {missed.length > 0 && (
        <ul>
          {missed.map(({ member, streams: more }) => (
            <li key={member}>
              {formats.count(more)} more would match without the condition on {member.replaceAll('_', ' ')}
            </li>
          ))}
        </ul>
      )}
      {price !== null && (
        <p>
          {formats.usd(price.usd_per_month)} per month for 1 core, 1 GB of memory and 1 GB of disk: rank{' '}
          {formats.count(price.rank)} of {formats.count(price.of)} in its country; the median there is{' '}
          {formats.usd(price.p50)}.
        </p>
      )}
    </div>
  );
}
