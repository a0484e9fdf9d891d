import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';
import type { Filter, Market, MarketBucket, MarketKey } from '../../../src/client/index.js';
import { conditionsOf } from '../../model/conditions.js';
import { formats } from '../../model/formats.js';
import { niceCeiling } from '../../model/histogram.js';
import { formatFilter, readView } from '../../model/view.js';
import { Figures } from '../../parts/figures.js';
import { QuantileBar } from '../../parts/quantile-bar.js';
import { useAnswer } from '../../state/answers.js';
import { hub } from '../../state/hub.js';
import { linkTo, place } from '../../state/place.js';

const POLL_MS = 15_000;
/** Rows per panel until it is expanded. */
const FEW = 12;

interface PanelKind {
  readonly by: MarketKey;
  readonly title: string;
  /** Label of the bucket without a value. */
  readonly none: string;
  textOf: (key: string) => string;
  /** Narrows a filter to one bucket. */
  narrow: (filter: Filter, key: string) => Filter;
}

const PANELS: readonly PanelKind[] = [
  {
    by: 'country',
    title: 'By country',
    none: 'unknown',
    textOf: formats.country,
    narrow: (filter, key) => ({ ...filter, country: [key] }),
  },
  {
    by: 'attr.gpu_model',
    title: 'By GPU',
    none: 'no GPU given',
    textOf: String,
    narrow: (filter, key) => ({ ...filter, attributes: { ...filter.attributes, gpu_model: [key] } }),
  },
  {
    by: 'platform',
    title: 'By platform',
    none: 'no platform given',
    textOf: String,
    narrow: (filter, key) => ({ ...filter, platform: [key] }),
  },
];

/** Offered resources and their prices. */
export function MarketPage(): JSX.Element {
  const { filter } = readView(place.value.query).view;
  const query = formatFilter(filter);
  const answer = useAnswer(
    (signal) => Promise.all(PANELS.map(({ by }) => hub.market(filter, { by, signal }))),
    query,
    POLL_MS,
  );
  const { value: markets, problem } = answer.value;
  const asked = conditionsOf(filter);
  return (
    <>
      <header class="page-head">
        <h1>Market</h1>
        <p class="hint">
          {asked.length === 0 ? 'All providers' : `Providers ${asked.map(({ text }) => text).join(', ')}`}.
          Prices are for a month of {amountsText(filter)}.{' '}
          <a href={linkTo('providers', query)}>{asked.length === 0 ? 'Search' : 'Change search'}</a>
        </p>
      </header>
      {problem !== null && <p class="notice">{problem}</p>}
      {markets === null ? <p class="loading">Loading …</p> : <TotalFigures total={markets[0]!.total} />}
      <div class="multiples">
        {markets !== null &&
          PANELS.map((kind, index) => (
            <Multiple key={kind.by} kind={kind} market={markets[index]!} filter={filter} />
          ))}
      </div>
    </>
  );
}

function amountsText({ cpu = 1, memory = 1, storage = 1 }: Filter): string {
  return `${formats.cores(cpu)}, ${formats.gigabytes(memory)} of memory and ${formats.gigabytes(storage)} of disk`;
}

function TotalFigures({ total }: { total: MarketBucket }): JSX.Element {
  const { providers, live, resources, usd_per_month: usd } = total;
  const figures: [string, string][] = [
    ['Providers', formats.count(providers)],
    ['Live', formats.count(live)],
    ['Cores', formats.count(resources.cpu)],
    ['Memory', formats.gigabytes(resources.memory)],
    ['Disk', formats.gigabytes(resources.storage)],
    ['Median price', usd.p50 === null ? '–' : formats.usd(usd.p50)],
  ];
  return <Figures figures={figures} />;
}

interface MultipleProps {
  readonly kind: PanelKind;
  readonly market: Market;
  readonly filter: Filter;
}

/** Providers grouped by one key: a row per bucket, all prices on one scale. */
function Multiple({ kind, market, filter }: MultipleProps): JSX.Element {
  const showsAll = useSignal(false);
  const buckets = showsAll.value ? market.buckets : market.buckets.slice(0, FEW);
  const most = Math.max(0, ...market.buckets.map(({ usd_per_month: usd }) => usd.p75 ?? 0));
  const scale = most === 0 ? 0 : niceCeiling(Math.min(most * 1.5, market.total.usd_per_month.max ?? most));
  return (
    <section class="panel">
      <h2 id={`market-${kind.by}`}>{kind.title}</h2>
      {buckets.length === 0 ? (
        <p class="hint">No matching providers at the moment.</p>
      ) : (
        <table class="market" aria-labelledby={`market-${kind.by}`}>
          <thead>
            <tr>
              <th scope="col">
                <span class="off-screen">{kind.title.slice(3)}</span>
              </th>
              <th scope="col" class="number">
                Providers
              </th>
              <th scope="col" class="number">
                Median
              </th>
              <th scope="col" class="spread">
                <span class="scale">
                  <span>{formats.wholeUsd(0)}</span>
                  <span class="off-screen">Spread of prices</span>
                  <span>{formats.wholeUsd(scale)}</span>
                </span>
              </th>
            </tr>
          </thead>
          <tbody>
            {buckets.map(({ key, providers, usd_per_month: usd }) => (
              <tr key={String(key)}>
                <th scope="row">
                  {key === null ? (
                    <span class="hint">{kind.none}</span>
                  ) : (
                    <a href={linkTo('providers', formatFilter(kind.narrow(filter, String(key))))}>
                      <bdi>{kind.textOf(String(key))}</bdi>
                    </a>
                  )}
                </th>
                <td class="number">{formats.count(providers)}</td>
                <td class="number">{usd.p50 === null ? '–' : formats.usd(usd.p50)}</td>
                <td class="spread">
                  <QuantileBar quantiles={usd} scale={scale} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {market.buckets.length > FEW && (
        <button
          type="button"
          class="plain"
          aria-expanded={showsAll.value}
          onClick={() => {
            showsAll.value = !showsAll.value;
          }}
        >
          {showsAll.value ? 'Show fewer' : `Show all ${formats.count(market.buckets.length)}`}
        </button>
      )}
    </section>
  );
}
