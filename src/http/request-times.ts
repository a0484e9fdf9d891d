import { Histogram, type MetricObjectWithValues, type MetricValueWithName, type Registry } from 'prom-client';

const NAME = 'discovery_http_request_seconds';
const LABELS = ['route', 'method', 'status'] as const;
const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'];

type Label = (typeof LABELS)[number] | 'le';
type Value = MetricValueWithName<Label>;

/** The counts of one kind of request, by duration. */
class Tally {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  /** By bucket; the last one is unbounded. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(route: string, method: string, status: number, buckets: number) {
    this.route = route;
    this.method = method;
    this.status = status;
    this.counts = new Float64Array(buckets + 1);
  }
}

/**
 * The histogram of request times. The library validates and hashes the labels of each observation, which takes as long as answering a short
 * request; here that is deferred until the metrics are read.
 */
export class RequestTimes extends Histogram<Label> {
  readonly #bounds: readonly number[];
  /** Stays empty: only describes the histogram to the library. */
  readonly #empty: Histogram<Label>;
  /** The last tally used, which is usually the next one too. */
  #last: Tally | undefined;
  readonly #tallies = new Map<string, Map<number, Tally>>();

  /** @param bounds The upper bounds of the buckets, in seconds, ascending. */
  constructor(bounds: readonly number[], registry: Registry) {
    const help = 'Time to answer an HTTP request';
    const options = { name: NAME, help, labelNames: [...LABELS], buckets: [...bounds] };
    super({ ...options, registers: [registry] });
    this.#empty = new Histogram({ ...options, registers: [] });
    this.#bounds = bounds;
  }

  /** Counts one request. */
  note(route: string, method: string, status: number, seconds: number): void {
    const tally = this.#tallyOf(route, method, status);
    let bucket = 0;
    while (bucket < this.#bounds.length && seconds > this.#bounds[bucket]!) bucket += 1;
    tally.counts[bucket]! += 1;
    tally.sum += seconds;
  }

  /** All values, in the form of the library's own histograms. */
  override async get(): Promise<MetricObjectWithValues<Value>> {
    const values: Value[] = [];
    for (const byKind of this.#tallies.values()) {
      for (const tally of byKind.values()) values.push(...this.#valuesOf(tally));
    }
    return { ...(await this.#empty.get()), values };
  }

  /** Called by the library to render the text form. */
  getForPromString(): Promise<MetricObjectWithValues<Value>> {
    return this.get();
  }

  #tallyOf(route: string, method: string, status: number): Tally {
    const last = this.#last;
    if (last?.route === route && last.method === method && last.status === status) return last;
    let byKind = this.#tallies.get(route);
    if (byKind === undefined) {
      byKind = new Map();
      this.#tallies.set(route, byKind);
    }
    const known = METHODS.indexOf(method);
    const kind = status * 8 + known + 1;
    let tally = byKind.get(kind);
    if (tally === undefined) {
      tally = new Tally(route, METHODS[known] ?? 'other', status, this.#bounds.length);
      byKind.set(kind, tally);
    }
    this.#last = tally;
    return tally;
  }

  *#valuesOf({ route, method, status, counts, sum }: Tally): Generator<Value> {
    const labels = { route, method, status };
    let count = 0;
    for (const [bucket, bound] of [...this.#bounds, '+Inf'].entries()) {
      count += counts[bucket]!;
      yield { metricName: `${NAME}_bucket`, labels: { le: bound, ...labels }, value: count };
    }
    yield { metricName: `${NAME}_sum`, labels, value: sum };
    yield { metricName: `${NAME}_count`, labels, value: count };
  }
}
