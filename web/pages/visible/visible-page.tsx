import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';
import {
  DiscoveryError,
  type Miss,
  type PublishedAdvertisement,
  type Signer,
} from '../../../src/client/index.js';
import { formats } from '../../model/formats.js';
import { readChosenFile } from '../../model/key-file.js';
import { formatFilter, readView } from '../../model/view.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { useAnswer } from '../../state/answers.js';
import { hub, hubNow } from '../../state/hub.js';
import { linkTo, place, showQuery } from '../../state/place.js';
import { AskHub } from './ask-hub.js';

const POLL_MS = 10_000;

/** Shows providers whether they are listed, how they rank and who sees them. */
export function VisiblePage(): JSX.Element {
  const params = new URLSearchParams(place.value.query);
  const id = params.get('id') ?? '';
  const signer = useSignal<Signer | null>(null);
  const problem = useSignal<string | null>(null);
  const ask = (providerId: string): void => showQuery(new URLSearchParams({ id: providerId }).toString());
  const takeFile = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    try {
      signer.value = await readChosenFile(file);
      problem.value = null;
      ask(signer.value.providerId);
    } catch (error) {
      problem.value = DiscoveryError.from(error, 'KEY').message;
    }
  };
  return (
    <>
      <header class="page-head">
        <h1>Am I visible?</h1>
      </header>
      <form
        class="panel visible-form"
        onSubmit={(event) => {
          event.preventDefault();
          signer.value = null;
          const given = new FormData(event.currentTarget).get('id');
          if (typeof given === 'string') ask(given.trim());
        }}
      >
        <label class="field-text">
          <span>Your provider id</span>
          <input
            type="text"
            name="id"
            value={id}
            spellcheck={false}
            autocomplete="off"
            placeholder="64 hex digits, 0x…, or a name"
          />
        </label>
        <button type="submit">Check</button>
        <label
          class="drop"
          onDragOver={(event) => event.preventDefault()}
          onDrop={(event) => {
            event.preventDefault();
            void takeFile(event.dataTransfer?.files[0]);
          }}
        >
          <span>or drop your key file here, or</span>
          <input
            type="file"
            aria-label="Key file"
            onChange={({ currentTarget }) => void takeFile(currentTarget.files?.[0])}
          />
          <span class="hint">
            The key stays in this page: it is never sent, and is discarded when you leave.
          </span>
        </label>
      </form>
      {problem.value !== null && (
        <p class="notice" role="alert">
          {problem.value}
        </p>
      )}
      {id !== '' && (
        <Answer key={id} id={id} signer={signer.value?.providerId === id ? signer.value : null} />
      )}
    </>
  );
}

function Answer({ id, signer }: { id: string; signer: Signer | null }): JSX.Element {
  const { value, problem } = useAnswer(
    (signal) => hub.get(id, { signal }).then((found) => ({ found })),
    id,
    POLL_MS,
  ).value;
  if (value === null) return <p class={problem === null ? 'loading' : 'notice'}>{problem ?? 'Loading …'}</p>;
  if (value.found === null) return <NotListed />;
  return (
    <div class="panels">
      <Listed advertisement={value.found} />
      <Standing advertisement={value.found} />
      {signer !== null && <AskHub advertisement={value.found} signer={signer} />}
    </div>
  );
}

function NotListed(): JSX.Element {
  return (
    <section class="panel" role="status">
      <h2>Not listed</h2>
      <p>The hub has no advertisement of this provider. Possible causes:</p>
      <ul>
        <li>It never advertised here. Is its daemon running and connected to this hub?</li>
        <li>Its heartbeats stopped and it expired. Look for a lost connection in its log.</li>
        <li>It was withdrawn, by you or by someone else with its key.</li>
        <li>It uses another id: a name, or the address of its account.</li>
      </ul>
    </section>
  );
}

function Listed({ advertisement }: { advertisement: PublishedAdvertisement }): JSX.Element {
  const { provider_id: id, status, updated_at: updated, expires_at: expires, verified } = advertisement;
  return (
    <section class="panel" role="status">
      <h2>
        Listed <StatusBadge status={status} />
      </h2>
      <p>
        Last heartbeat {formats.ago(Date.parse(updated), hubNow.value)}.{' '}
        {status === 'live'
          ? 'Every search that it matches shows it.'
          : `Its connection was lost. Searches for live providers hide it, and unless it reconnects it expires at ${formats.time(Date.parse(expires))}.`}
      </p>
      {!verified && <p>It is not signed, so searches for signed providers hide it.</p>}
      <p>
        <a href={linkTo('provider', '', id)}>View its public page</a>
      </p>
    </section>
  );
}

/** Its price rank overall and in its country, and whether a given search matches it. */
function Standing({ advertisement }: { advertisement: PublishedAdvertisement }): JSX.Element {
  const { provider_id: id, country } = advertisement;
  const search = useSignal('');
  const { view, problem: misread } = readView(search.value.replace(/^.*\?/, ''));
  const key = `${id} ${formatFilter(view.filter)}`;
  const { value, problem } = useAnswer(
    async (signal) => {
      const [all, near, asked] = await Promise.all([
        hub.explainProvider(id, {}, { signal }),
        hub.explainProvider(id, { country: [country] }, { signal }),
        hub.explainProvider(id, view.filter, { signal }),
      ]);
      return { all, near, asked };
    },
    key,
    POLL_MS,
  ).value;
  const rank = (explained: { rank: { by_price: number | null; of: number } } | null | undefined): string =>
    explained?.rank.by_price == null
      ? '–'
      : `${formats.count(explained.rank.by_price)} of ${formats.count(explained.rank.of)}`;
  return (
    <section class="panel">
      <h2>Price rank</h2>
      <dl class="facts">
        <div>
          <dt>Overall</dt>
          <dd>{rank(value?.all)}</dd>
        </div>
        <div>
          <dt>In {formats.country(country)}</dt>
          <dd>{rank(value?.near)}</dd>
        </div>
      </dl>
      <label class="field-text">
        <span>Check a search: paste its link</span>
        <input
          type="text"
          value={search.value}
          placeholder="…#/providers?cpu=8&country=SE"
          onInput={({ currentTarget }) => {
            search.value = currentTarget.value;
          }}
        />
      </label>
      {(misread ?? problem) !== null && <p class="notice">{misread ?? problem}</p>}
      {search.value !== '' && misread === null && value?.asked != null && (
        <p role="status">
          {value.asked.matches
            ? `Matches. Price rank: ${rank(value.asked)}.`
            : `Does not match: ${value.asked.misses.map(missText).join(', ')}.`}
        </p>
      )}
    </section>
  );
}

function missText({ member, asked, offered }: Miss): string {
  const said = typeof asked === 'object' ? JSON.stringify(asked) : String(asked);
  return `${member.replaceAll('_', ' ')} (wanted ${said}, offers ${offered === null ? 'nothing' : String(offered)})`;
}
