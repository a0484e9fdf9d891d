import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import type { Filter } from '../../../src/client/index.js';
import { amountsOf } from '../../model/amounts.js';
import { filterCommands } from '../../model/commands.js';
import { formats } from '../../model/formats.js';
import { formatFilter, formatView, readView, type View } from '../../model/view.js';
import { Commands } from '../../parts/commands.js';
import { CopyButton } from '../../parts/copy-button.js';
import { hubUrl } from '../../state/hub.js';
import { place, showQuery } from '../../state/place.js';
import { isNarrow } from '../../state/preferences.js';
import { ColumnChoice } from './column-choice.js';
import { Conditions, NoMatches } from './conditions.js';
import { Feed, hubSort, type Shown } from './feed.js';
import { FilterPanel } from './filter-panel.js';
import { ProviderTable } from './provider-table.js';
import { useOffers } from './use-offers.js';

/** Milliseconds that a filter has to stand before the hub is asked: whoever types is not done after each key. */
const CALM_MS = 300;

/** Find a provider, and watch what is on offer. */
export function ProvidersPage(): JSX.Element {
  const { view, problem } = readView(place.value.query);
  const feed = useFeed(view);
  const isPaused = useSignal(false);
  const isPointed = useSignal(false);
  const shown = feed.shown.value;
  const offers = useOffers(view.filter, shown);
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
              <summary>Use elsewhere</summary>
              <div class="popover-content">
                <Commands commands={filterCommands(hubUrl, view.filter)} />
              </div>
            </details>
            <CopyButton text={location.href} of="the address of this search" label="Copy link" />
          </span>
        </div>
        {problem !== null && (
          <p class="notice" role="alert">
            The address asks for something that there is not: {problem}
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
            amounts={amountsOf(view.filter)}
            query={amountsQuery(view.filter)}
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
            Too many to watch them all: the first hundred by price are live, other rows in view are read again
            every 15 seconds. Narrow the search down to see each change as it happens.
          </p>
        )}
      </div>
    </div>
  );
}

/** What a provider's page is opened with. */
function amountsQuery({ cpu, memory, storage }: Filter): string {
  return formatFilter(
    Object.fromEntries(Object.entries({ cpu, memory, storage }).filter(([, value]) => value)),
  );
}

function useFeed(view: View): Feed {
  const feed = useRef<Feed | null>(null);
  feed.current ??= new Feed(view);
  const present = feed.current;
  const key = formatView({ ...view, columns: [] });
  useEffect(() => {
    const timer = setTimeout(() => present.setView(view), CALM_MS);
    return () => clearTimeout(timer);
  }, [present, key]);
  useEffect(() => () => present.stop(), [present]);
  return present;
}

/** How many match; said aloud when the number has stood for a while, not with each change. */
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
