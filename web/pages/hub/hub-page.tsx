import type { JSX } from 'preact';
import type { HubPoint } from '../../../src/client/index.js';
import { formats } from '../../model/formats.js';
import { Figures } from '../../parts/figures.js';
import { TrendChart } from '../../parts/trend-chart.js';
import { type HubVitals, useVitals } from './use-vitals.js';

const SPAN_MS = 15 * 60_000;

type Measure = (point: HubPoint) => number | null;

interface ChartKind {
  readonly title: string;
  textOf: (value: number) => string;
  readonly lines: readonly (readonly [name: string, measure: Measure])[];
}

const COUNTS: readonly ChartKind[] = [
  {
    title: 'Providers',
    textOf: formats.count,
    lines: [
      ['live', ({ live }) => live],
      ['suspect', ({ suspect }) => suspect],
    ],
  },
  {
    title: 'Connections',
    textOf: formats.count,
    lines: [
      ['WebSockets', ({ connections }) => connections],
      ['sessions', ({ sessions }) => sessions],
      ['HTTP readers', ({ readers }) => readers],
    ],
  },
  {
    title: 'Subscribers',
    textOf: formats.count,
    lines: [
      ['subscribers', ({ subscribers }) => subscribers],
      ['streams', ({ streams }) => streams],
    ],
  },
  {
    title: 'Updates per second',
    textOf: formats.rate,
    lines: [['updates', (point) => point.updates_per_second]],
  },
];

const CONDITION: readonly ChartKind[] = [
  {
    title: 'Match-to-send latency',
    textOf: formats.milliseconds,
    lines: [
      ['median', (point) => point.match_to_send_ms?.p50 ?? null],
      ['p99', (point) => point.match_to_send_ms?.p99 ?? null],
      ['max', (point) => point.match_to_send_ms?.max ?? null],
    ],
  },
  {
    title: 'Event loop delay',
    textOf: formats.milliseconds,
    lines: [
      ['median', (point) => point.loop_lag_ms?.p50 ?? null],
      ['p99', (point) => point.loop_lag_ms?.p99 ?? null],
      ['max', (point) => point.loop_lag_ms?.max ?? null],
    ],
  },
  {
    title: 'Send queue',
    textOf: formats.bytes,
    lines: [['bytes', (point) => point.queued_bytes ?? null]],
  },
  {
    title: 'Pending writes',
    textOf: formats.count,
    lines: [['writes', ({ mirror }) => mirror?.pending ?? null]],
  },
];

/** The hub's vitals, now and over the last 15 minutes. */
export function HubPage(): JSX.Element {
  const { vitals, refusal } = useVitals().value;
  return (
    <>
      <header class="page-head">
        <h1>Hub</h1>
        {vitals !== null && (
          <p class="hint">
            {vitals.shows === 'all'
              ? 'Now, and over the last 15 minutes.'
              : 'Now, and over the last 15 minutes. This hub shows visitors counts only; its performance is visible only to its operator.'}
          </p>
        )}
      </header>
      {refusal !== null && (
        <div class="nothing">
          <p>Not available: {refusal}.</p>
        </div>
      )}
      {vitals === null && refusal === null && <p class="loading">Loading …</p>}
      {vitals !== null && <Vitals vitals={vitals} />}
    </>
  );
}

function Vitals({ vitals: { points, shows, intervalMs } }: { vitals: HubVitals }): JSX.Element {
  const latest = points.at(-1);
  if (latest === undefined)
    return <p class="hint">The hub has just started. The first figures will appear shortly.</p>;
  const to = Date.parse(latest.time);
  const times = points.map(({ time }) => Date.parse(time));
  return (
    <>
      <PresentFigures point={latest} />
      <div class="trends">
        {[...COUNTS, ...(shows === 'all' ? CONDITION : [])].map(({ title, textOf, lines }) => (
          <TrendChart
            key={title}
            title={title}
            textOf={textOf}
            from={to - SPAN_MS}
            to={to}
            intervalMs={intervalMs}
            trends={lines.map(([name, measure]) => ({
              name,
              points: points.map((point, index) => ({ time: times[index]!, value: measure(point) })),
            }))}
          />
        ))}
      </div>
    </>
  );
}

function PresentFigures({ point }: { point: HubPoint }): JSX.Element {
  const { mirror } = point;
  const figures: (readonly [string, string])[] = [
    ['Providers', formats.count(point.live + point.suspect)],
    ['Connections', formats.count(point.connections + point.readers)],
    ['Sessions', formats.count(point.sessions)],
    ['Subscribers', formats.count(point.subscribers)],
    ['Streams', formats.count(point.streams)],
    ['Updates per second', formats.rate(point.updates_per_second)],
    ...(mirror === undefined
      ? []
      : ([['Storage', mirror.state === 'writing' ? 'Writing' : 'Failing']] as const)),
  ];
  return <Figures figures={figures} />;
}
