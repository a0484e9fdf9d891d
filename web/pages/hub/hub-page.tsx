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
    title: 'Who watches',
    textOf: formats.count,
    lines: [
      ['subscribers', ({ subscribers }) => subscribers],
      ['streams', ({ streams }) => streams],
    ],
  },
  {
    title: 'Updates a second',
    textOf: formats.rate,
    lines: [['updates', (point) => point.updates_per_second]],
  },
];

const CONDITION: readonly ChartKind[] = [
  {
    title: 'From match to send',
    textOf: formats.milliseconds,
    lines: [
      ['median', (point) => point.match_to_send_ms?.p50 ?? null],
      ['99 % within', (point) => point.match_to_send_ms?.p99 ?? null],
      ['longest', (point) => point.match_to_send_ms?.max ?? null],
    ],
  },
  {
    title: 'Lateness of the event loop',
    textOf: formats.milliseconds,
    lines: [
      ['median', (point) => point.loop_lag_ms?.p50 ?? null],
      ['99 % within', (point) => point.loop_lag_ms?.p99 ?? null],
      ['longest', (point) => point.loop_lag_ms?.max ?? null],
    ],
  },
  {
    title: 'Waiting to be sent',
    textOf: formats.bytes,
    lines: [['bytes', (point) => point.queued_bytes ?? null]],
  },
  {
    title: 'Writes not durable yet',
    textOf: formats.count,
    lines: [['writes', ({ mirror }) => mirror?.pending ?? null]],
  },
];

/** What the hub is like, now and for the last 15 minutes. */
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
              : 'Now, and over the last 15 minutes. This hub shows visitors how many there are of everything; how well it does is for its operator.'}
          </p>
        )}
      </header>
      {refusal !== null && (
        <div class="nothing">
          <p>Nothing to see: {refusal}.</p>
        </div>
      )}
      {vitals === null && refusal === null && <p class="loading">Loading …</p>}
      {vitals !== null && <Vitals vitals={vitals} />}
    </>
  );
}

function Vitals({ vitals: { points, shows, intervalMs } }: { vitals: HubVitals }): JSX.Element {
  const latest = points.at(-1);
  if (latest === undefined) return <p class="hint">The hub has only just begun; the first numbers follow.</p>;
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
    ['Updates a second', formats.rate(point.updates_per_second)],
    ...(mirror === undefined
      ? []
      : ([['Storage', mirror.state === 'writing' ? 'Writing' : 'Failing']] as const)),
  ];
  return <Figures figures={figures} />;
}
