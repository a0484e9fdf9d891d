import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { geoArea, geoCentroid, geoNaturalEarth1, geoPath } from 'd3-geo';
import type { Geometry } from 'geojson';
import outlinesFile from 'outlines';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import type { Filter, MarketBucket } from '../../../src/client/index.js';
import { formats } from '../../model/formats.js';
import { formatFilter, readView } from '../../model/view.js';
import { useAnswer } from '../../state/answers.js';
import { hub, hubUrl } from '../../state/hub.js';
import { linkTo, place } from '../../state/place.js';

const AGAIN_MS = 15_000;
const NEVER_AGAIN_MS = 2 ** 31 - 1;
const WIDTH = 960;
const HEIGHT = 470;
/** Shades, from few to many or from cheap to expensive. */
const SHADES = 5;

type World = Topology<{ countries: GeometryCollection }>;

interface Country {
  /** The code used in advertisements; null for areas without one. */
  readonly code: string | null;
  readonly path: string;
  readonly middle: readonly [x: number, y: number] | null;
}

type Measure = 'providers' | 'price';

/** A map of providers. Each country links to its providers. */
export function MapPage(): JSX.Element {
  const { filter } = readView(place.value.query).view;
  const world = useAnswer(readWorld, 'world', NEVER_AGAIN_MS).value;
  const market = useAnswer(
    (signal) => hub.market(filter, { by: 'country', signal }),
    formatFilter(filter),
    AGAIN_MS,
  ).value;
  const countries = useMemo(() => (world.value === null ? [] : draw(world.value)), [world.value]);
  const measure = useSignal<Measure>('providers');
  const buckets = (market.value?.buckets ?? []).filter(({ key }) => key !== null);
  const problem = world.problem ?? market.problem;
  return (
    <>
      <header class="page-head">
        <h1>Map</h1>
        <div class="segments" role="group" aria-label="Shade by">
          {(['providers', 'price'] as const).map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={measure.value === name}
              onClick={() => {
                measure.value = name;
              }}
            >
              {name === 'providers' ? 'Providers' : 'Median price'}
            </button>
          ))}
        </div>
      </header>
      {problem !== null && <p class="notice">{problem}</p>}
      {countries.length === 0 && problem === null && <p class="loading">Drawing the map …</p>}
      <div class="map-and-list">
        {countries.length > 0 && (
          <WorldMap countries={countries} buckets={buckets} measure={measure.value} filter={filter} />
        )}
        <CountryList buckets={buckets} filter={filter} />
      </div>
    </>
  );
}

async function readWorld(signal: AbortSignal): Promise<World> {
  const response = await fetch(new URL(outlinesFile, `${hubUrl}/assets/`), { signal });
  if (!response.ok) throw new Error(`the hub has no outlines of countries: ${String(response.status)}`);
  return (await response.json()) as World;
}

/** Computes the shapes once, for a drawing of fixed size that CSS scales. */
function draw(world: World): Country[] {
  const collection = feature(world, world.objects.countries);
  const projection = geoNaturalEarth1().fitSize([WIDTH, HEIGHT], { type: 'Sphere' });
  const path = geoPath(projection).digits(1);
  const largest = new Map<string, number>();
  const shapes = collection.features.map((country) => {
    const land = mainLand(country.geometry);
    const code = typeof country.id === 'string' ? country.id : null;
    if (code !== null) largest.set(code, Math.max(largest.get(code) ?? 0, geoArea(land)));
    return { code, land, path: path(country) ?? '' };
  });
  return shapes.map(({ code, land, path }) => {
    // Separate islands that share a country's code get no label of their own.
    const isMain = code !== null && geoArea(land) === largest.get(code);
    return { code, path, middle: isMain ? projection(geoCentroid(land)) : null };
  });
}

/** The largest polygon of a country: the centre of all of them may lie in the sea. */
function mainLand(geometry: Geometry): Geometry {
  if (geometry.type !== 'MultiPolygon') return geometry;
  const pieces = geometry.coordinates.map((coordinates): Geometry => ({ type: 'Polygon', coordinates }));
  return pieces.reduce((largest, piece) => (geoArea(piece) > geoArea(largest) ? piece : largest));
}

const narrowed = (filter: Filter, code: string): string =>
  linkTo('providers', formatFilter({ ...filter, country: [code] }));

const valueOf = ({ providers, usd_per_month: usd }: MarketBucket, measure: Measure): number | null =>
  measure === 'providers' ? providers : usd.p50;

const words = ({ key, providers, usd_per_month: usd }: MarketBucket): string =>
  `${formats.country(String(key))}: ${formats.count(providers)} ${providers === 1 ? 'provider' : 'providers'}${usd.p50 === null ? '' : `, median ${formats.usd(usd.p50)}`}`;

interface WorldMapProps {
  readonly countries: readonly Country[];
  readonly buckets: readonly MarketBucket[];
  readonly measure: Measure;
  readonly filter: Filter;
}

function WorldMap({ countries, buckets, measure, filter }: WorldMapProps): JSX.Element {
  const byCode = new Map(buckets.map((bucket) => [String(bucket.key), bucket]));
  const sorted = buckets.map((bucket) => valueOf(bucket, measure) ?? 0).sort((a, b) => a - b);
  const shadeOf = (value: number): number =>
    Math.min(
      SHADES,
      1 + Math.floor((sorted.filter((other) => other < value).length / sorted.length) * SHADES),
    );
  const there = countries.filter(({ code }) => code !== null && byCode.has(code));
  return (
    <svg
      class="map"
      viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`}
      role="group"
      aria-label="Providers by country"
    >
      {countries.map(({ code, path }, index) => {
        const bucket = code === null ? undefined : byCode.get(code);
        if (bucket === undefined) return <path key={index} class="land" d={path} />;
        const value = valueOf(bucket, measure);
        return (
          <a key={index} href={narrowed(filter, String(bucket.key))} aria-label={words(bucket)}>
            <title>{words(bucket)}</title>
            <path class={value === null ? 'land' : `land shade-${String(shadeOf(value))}`} d={path} />
          </a>
        );
      })}
      <g aria-hidden="true" class="map-labels">
        {there.map(({ code, middle }) => {
          const bucket = byCode.get(code!)!;
          const value = valueOf(bucket, measure);
          if (middle === null || value === null) return null;
          const radius =
            5 + 9 * Math.sqrt(bucket.providers / Math.max(...buckets.map(({ providers }) => providers)));
          return (
            <g key={code} transform={`translate(${String(middle[0])} ${String(middle[1])})`}>
              <circle r={radius} />
              <text dy="0.35em">
                {measure === 'providers' ? formats.count(value) : formats.wholeUsd(value)}
              </text>
            </g>
          );
        })}
      </g>
    </svg>
  );
}

/** The map as a list, for screen readers and for finding one country. */
function CountryList({ buckets, filter }: { buckets: readonly MarketBucket[]; filter: Filter }): JSX.Element {
  return (
    <section class="panel country-list">
      <h2>Countries</h2>
      {buckets.length === 0 && <p class="hint">Nobody is anywhere at the moment.</p>}
      <ul>
        {buckets.map((bucket) => (
          <li key={String(bucket.key)}>
            <a href={narrowed(filter, String(bucket.key))}>{formats.country(String(bucket.key))}</a>
            <span class="number">{formats.count(bucket.providers)}</span>
            <span class="number">
              {bucket.usd_per_month.p50 === null ? '–' : formats.usd(bucket.usd_per_month.p50)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
