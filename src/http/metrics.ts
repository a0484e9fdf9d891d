import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry as MetricRegistry } from 'prom-client';
import type { ErrorCode } from '../protocol/errors.js';
import type { HttpResponse } from '../protocol/http-message.js';
import { RequestTimes } from './request-times.js';
import { NO_SNIFFING } from './respond.js';

/** Figures about the store that hubs share. */
export interface StoreFigures {
  /** The name of this run of the hub in the store; empty while it is not registered. */
  hub: string;
  epoch: string;
  revision: number;
  /** How often the whole store was read. */
  loads: number;
  leaseAgeMs: number;
  /** By reason. */
  watchRestarts: Readonly<Record<string, number>>;
  transactions: number;
  records: number;
  conflicts: number;
}

/** The sources of figures that are read at each scrape. */
export interface MetricSources {
  connections: () => number;
  /** Connections closed on arrival, in total. */
  refusedConnections: () => number;
  /** Readers of streamed bodies. */
  readers: () => number;
  sessions: () => number;
  subscriptions: () => number;
  streams: () => number;
  live: () => number;
  suspect: () => number;
  /** Advertisements removed, in total, by reason. */
  gone: () => Readonly<Record<string, number>>;
  queuedBytes: () => number;
  /** Age of the oldest write that the file does not have yet, in seconds. */
  mirrorLagSeconds: () => number;
  mirrorPending: () => number;
  /** Figures about the shared store; absent without one. */
  store?: () => StoreFigures;
  pendingVerifications: () => number;
  arenaBytes: () => number;
  /** Distinct numbered values of attributes and further resources. */
  facts: () => number;
  /** Advertisements with unnumbered values, because no numbers were left. */
  unnumberedAdvertisements: () => number;
  /** Reads in steps that are waiting or in progress. */
  pendingReads: () => number;
  /** Receives each time from a change until its events were sent, in seconds. */
  onEventsSent?: ((seconds: number) => void) | undefined;
}

const LATENCY_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** The operator's metrics, in Prometheus' text format. */
export class Metrics {
  readonly #registry = new MetricRegistry();
  readonly #requests: RequestTimes;
  readonly #matchToSend: Histogram;
  readonly #visibilities: Histogram;
  readonly #closes: Counter<'code'>;
  readonly #readerEnds: Counter<'reason'>;
  readonly #resumes: Counter<'outcome'>;
  readonly #refusals: Counter<'code'>;
  readonly #limited: Counter<'kind'>;
  readonly #onEventsSent: ((seconds: number) => void) | undefined;

  constructor(sources: MetricSources) {
    const registers = [this.#registry];
    this.#onEventsSent = sources.onEventsSent;
    collectDefaultMetrics({ register: this.#registry });
    // It synchronously reads a folder with an entry for each socket.
    this.#registry.removeSingleMetric('process_open_fds');
    this.#requests = new RequestTimes(LATENCY_BUCKETS, this.#registry);
    this.#matchToSend = new Histogram({
      name: 'discovery_match_to_send_seconds',
      help: 'Time from the first change of a flush until its events were handed to all sockets',
      buckets: LATENCY_BUCKETS,
      registers,
    });
    this.#visibilities = new Histogram({
      name: 'discovery_visibility_seconds',
      help: 'Time to answer a visibility request',
      buckets: LATENCY_BUCKETS,
      registers,
    });
    this.#closes = new Counter({
      name: 'discovery_connection_closes_total',
      help: 'WebSocket connections closed, by close code',
      labelNames: ['code'],
      registers,
    });
    this.#readerEnds = new Counter({
      name: 'discovery_reader_ends_total',
      help: 'Streamed HTTP responses that ended, by reason',
      labelNames: ['reason'],
      registers,
    });
    this.#resumes = new Counter({
      name: 'discovery_resumes_total',
      help: 'Subscriptions that asked to resume, by outcome',
      labelNames: ['outcome'],
      registers,
    });
    this.#refusals = new Counter({
      name: 'discovery_refusals_total',
      help: 'Refused requests, over HTTP and WebSocket, by error code',
      labelNames: ['code'],
      registers,
    });
    this.#limited = new Counter({
      name: 'discovery_rate_limited_total',
      help: 'Requests and handshakes refused by the rate limit',
      labelNames: ['kind'],
      registers,
    });
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    };
    const { store } = sources;
    if (store !== undefined) {
      new Gauge({
        name: 'discovery_store_hub',
        help: 'The name of this run of the hub in the shared store',
        labelNames: ['hub'],
        registers,
        collect() {
          this.reset();
          this.set({ hub: store().hub }, 1);
        },
      });
      new Gauge({
        name: 'discovery_store_epoch',
        help: 'The epoch of the shared store that this hub follows',
        labelNames: ['epoch'],
        registers,
        collect() {
          this.set({ epoch: store().epoch }, 1);
        },
      });
      gauge(
        'discovery_store_loads',
        'How often the whole shared store was read: at the start, and after a compaction that was slept through',
        () => store().loads,
      );
      gauge(
        'discovery_store_revision',
        'The last applied revision of the shared store',
        () => store().revision,
      );
      gauge(
        'discovery_store_lease_age_seconds',
        "Time since the last renewal of the hub's lease in the shared store",
        () => store().leaseAgeMs / 1000,
      );
      gauge('discovery_store_watch_restarts', 'Restarts of the watch on the store', () =>
        Object.values(store().watchRestarts).reduce((all, some) => all + some, 0),
      );
      gauge('discovery_store_conflicts', "Writes prevented by another hub's write", () => store().conflicts);
      gauge(
        'discovery_store_transactions',
        'Transactions that wrote to the store',
        () => store().transactions,
      );
      gauge('discovery_store_records', 'Records written to the store', () => store().records);
    }
    gauge('discovery_connections', 'Open WebSocket connections', sources.connections);
    gauge('discovery_readers', 'Open streamed HTTP responses', sources.readers);
    gauge('discovery_sessions', 'Authenticated provider sessions', sources.sessions);
    gauge('discovery_subscribers', 'Open subscriptions', sources.subscriptions);
    gauge('discovery_streams', 'Distinct filters with at least one subscriber', sources.streams);
    gauge('discovery_queue_bytes', 'Bytes queued on WebSockets and streamed responses', sources.queuedBytes);
    gauge(
      'discovery_mirror_lag_seconds',
      'Age of the oldest write that is not durable yet',
      sources.mirrorLagSeconds,
    );
    gauge('discovery_mirror_pending', 'Writes that are not durable yet', sources.mirrorPending);
    gauge(
      'discovery_verifications_pending',
      'Signatures waiting to be verified',
      sources.pendingVerifications,
    );
    gauge(
      'discovery_arena_bytes',
      'Bytes of rendered advertisements and proofs in memory',
      sources.arenaBytes,
    );
    gauge(
      'discovery_facts',
      'Distinct values of attributes and further resources that have numbers',
      sources.facts,
    );
    gauge(
      'discovery_advertisements_unnumbered',
      'Advertisements whose attributes have no numbers, because there are too many distinct ones',
      sources.unnumberedAdvertisements,
    );
    gauge(
      'discovery_reads_pending',
      'Lists and other reads in steps that are waiting or in progress',
      sources.pendingReads,
    );
    new Gauge({
      name: 'discovery_advertisements',
      help: 'Advertisements, by status',
      labelNames: ['status'],
      registers,
      collect() {
        this.set({ status: 'live' }, sources.live());
        this.set({ status: 'suspect' }, sources.suspect());
      },
    });
    new Counter({
      name: 'discovery_connections_refused_total',
      help: 'Connections closed on arrival, because too many are open, overall or from their address',
      registers,
      collect() {
        this.reset();
        this.inc(sources.refusedConnections());
      },
    });
    new Counter({
      name: 'discovery_departures_total',
      help: 'Advertisements removed, by reason',
      labelNames: ['reason'],
      registers,
      collect() {
        this.reset();
        for (const [reason, count] of Object.entries(sources.gone())) this.inc({ reason }, count);
      },
    });
  }

  observeRequest(route: string, method: string, status: number, seconds: number): void {
    this.#requests.note(route, method, status, seconds);
  }

  connectionClosed(code: number): void {
    // Peers may send any code; only the hub's own and the common ones get a series of their own.
    this.#closes.inc({
      code: (code >= 4400 && code < 4600) || (code >= 1000 && code < 1016) ? String(code) : 'other',
    });
  }

  readerEnded(reason: string): void {
    this.#readerEnds.inc({ reason });
  }

  resumeDecided(outcome: 'exact' | 'refused'): void {
    this.#resumes.inc({ outcome });
  }

  eventsSent(latencySeconds: number): void {
    this.#matchToSend.observe(latencySeconds);
    this.#onEventsSent?.(latencySeconds);
  }

  visibilityAnswered(seconds: number): void {
    this.#visibilities.observe(seconds);
  }

  requestRefused(code: ErrorCode): void {
    this.#refusals.inc({ code });
  }

  rateLimited(kind: 'request' | 'handshake'): void {
    this.#limited.inc({ kind });
  }

  async response(): Promise<HttpResponse> {
    return {
      status: 200,
      headers: {
        'Content-Type': this.#registry.contentType,
        'Cache-Control': 'no-store',
        ...NO_SNIFFING,
      },
      body: await this.#registry.metrics(),
    };
  }
}
