import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import type { Filter } from '../../../src/client/index.js';
import { amountsOf } from '../../model/amounts.js';
import { filterCommands } from '../../model/commands.js';
import { formats } from '../../model/formats.js';
import { formatFilter, formatView, readView, type View } from '../../model/view.js';
import { Commands } from '../../parts/commands.js';
import { CopyButton } from '../../parts/copy-button.js';
import { hubUrl } from '../../state/hub.js';
import { afterPaint } from '../../state/moments.js';
import { place, showQuery } from '../../state/place.js';
import { isNarrow } from '../../state/preferences.js';
import { ColumnChoice } from './column-choice.js';
import { Conditions, NoMatches } from './conditions.js';
import { type Feed, feedOf, hubSort, type Shown } from './feed.js';
import { FilterPanel } from './filter-panel.js';
import { ProviderTable } from './provider-table.js';
import { useOffers } from './use-offers.js';

/** Debounce before querying the hub, in milliseconds, so that not every keystroke sends a request. */
const DEBOUNCE_MS = 300;

/** Searches for providers and watches the matches. */
export function ProvidersPage(): JSX.Element {
  const { view, problem } = readView(place.value.query);
  const feed = useFeed(view);
  const isPaused = useSignal(false);
  const isPointed = useSignal(false);
  const shown = feed.shown.value;
  const offers = useOffers(view.filter, shown, useIsShown(shown));
  const query = amountsQuery(view.filter);
  // Rows are rendered again when these change.
  const amounts = useMemo(() => amountsOf(view.filter), [query]);
  const show = (part: Partial<View>): void => showQuery(formatView({ ...view, ...part }));
  const setFilter = (filter: Filter): void => show({ filter });
  useEffect(() => {
    feed.hold(isPaused.value || isPointed.value);
  }, [feed, isPaused.value, isPointed.value]);
  const canSort = (name: string): boolean =>
    shown.kind === 'live' ||
    hubSort({ column: name, descending: false }) !== undefined ||
    hubSort({ column: name, descending: true }) !== undefined;
  const sortBy = (name: string): void => {
    const { column, descending } = view.sort;
    const next = { column: name, descending: column === name ? !descending : name === 'updated' };
    const canTurn = shown.kind === 'live' || hubSort(next) !== undefined;
    show({ sort: canTurn ? next : { ...next, descending: !next.descending } });
  };
  const panel = <FilterPanel filter={view.filter} offers={offers} onChange={setFilter} />;
  return (
    <div class="providers">
      <h1 class="off-screen">Providers</h1>
      {isNarrow.value ? (
        <details class="filters-folded">
          <summary>Filter</summary>
          {panel}
        </details>
      ) : (
        <aside aria-label="Filter">{panel}</aside>
      )}
      <div class="providers-main">
        <div class="toolbar">
          <MatchCount shown={shown} />
          <button
            type="button"
            class="pause"
            aria-pressed={isPaused.value}
            onClick={() => {
              isPaused.value = !isPaused.value;
            }}
          >
            {isPaused.value ? 'Paused' : 'Pause'}
          </button>
          {shown.waiting > 0 && (
            <span class="hint">
              {formats.count(shown.waiting)} new {shown.waiting === 1 ? 'one waits' : 'ones wait'}
            </span>
          )}
          <span class="toolbar-end">
            <ColumnChoice
              columns={view.columns}
              attributes={offers.attributes}
              onChange={(columns) => show({ columns })}
            />
            <details class="popover">
              <summary>Share / use in code</summary>
              <div class="popover-content">
                <Commands commands={filterCommands(hubUrl, view.filter)} />
              </div>
            </details>
            <CopyButton text={location.href} of="the link to this search" label="Copy link" />
          </span>
        </div>
        {problem !== null && (
          <p class="notice" role="alert">
            This link contains a condition that cannot be read: {problem}
          </p>
        )}
        {feed.problem.value !== null && (
          <p class="notice" role="alert">
            {feed.problem.value}
          </p>
        )}
        <Conditions filter={view.filter} onChange={setFilter} />
        {shown.kind === 'live' && shown.count === 0 && shown.waiting === 0 ? (
          <NoMatches filter={view.filter} explanation={feed.explanation.value} onChange={setFilter} />
        ) : (
          <ProviderTable
            shown={shown}
            columns={view.columns}
            sort={view.sort}
            amounts={amounts}
            query={query}
            canSort={canSort}
            onSort={sortBy}
            onView={(from, to) => feed.show(from, to)}
            onHold={(isHeld) => {
              isPointed.value = isHeld;
            }}
          />
        )}
        {shown.kind === 'pages' && (
          <p class="hint">
            Too many matches to show all of them live. The first hundred by price are live; other visible rows
            refresh every 15 seconds. Narrow the search to see every change as it happens.
          </p>
        )}
      </div>
    </div>
  );
}

/** The query string for a provider's page: the requested amounts. */
function amountsQuery({ cpu, memory, storage }: Filter): string {
  return formatFilter(
    Object.fromEntries(Object.entries({ cpu, memory, storage }).filter(([, value]) => value)),
  );
}

function useFeed(view: View): Feed {
  const feed = useRef<Feed | null>(null);
  feed.current ??= feedOf(view);
  const present = feed.current;
  const key = formatView({ ...view, columns: [] });
  useEffect(() => {
    const timer = setTimeout(() => present.setView(view), DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [present, key]);
  useEffect(() => () => present.stop(), [present]);
  return present;
}

/** Whether the first rows, or their absence, have been shown. Until then nothing else is asked of hub and browser. */
function useIsShown({ kind, count }: Shown): boolean {
  const isShown = useSignal(false);
  const isLoading = kind === 'loading' && count === 0;
  useEffect(() => {
    if (isLoading) return undefined;
    return afterPaint(() => {
      isShown.value = true;
    });
  }, [isLoading]);
  return isShown.value;
}

/** The number of matches. Screen readers announce it once it has settled, not on every change. */
function MatchCount({ shown }: { shown: Shown }): JSX.Element {
  const said = useSignal('');
  const text =
    shown.matched === null
      ? 'Counting …'
      : `${formats.count(shown.matched)} ${shown.matched === 1 ? 'provider matches' : 'providers match'}`;
  useEffect(() => {
    const timer = setTimeout(() => {
      said.value = text;
    }, 1500);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class="match-count">
      <strong aria-hidden="true">{text}</strong>
      <span class="off-screen" role="status">
        {said.value}
      </span>
    </p>
  );
}
