import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry as MetricRegistry } from 'prom-client';
import type { ErrorCode } from '../protocol/errors.js';
import type { HttpResponse } from '../protocol/http-message.js';
import { RequestTimes } from './request-times.js';
import { NO_SNIFFING } from './respond.js';

/** What the store is like that hubs share. */
export interface StoreFigures {
  /** What this run of the hub is called in the store; empty while it is not there. */
  hub: string;
  revision: number;
  leaseAgeMs: number;
  /** By reason. */
  watchRestarts: Readonly<Record<string, number>>;
  transactions: number;
  records: number;
  conflicts: number;
}

/** Where the numbers come from that are read at each scrape. */
export interface MetricSources {
  connections: () => number;
  /** Connections that were closed the moment they came, in all. */
  refusedConnections: () => number;
  /** Readers of streamed bodies. */
  readers: () => number;
  sessions: () => number;
  subscriptions: () => number;
  streams: () => number;
  live: () => number;
  suspect: () => number;
  /** Advertisements that went, in all, by reason. */
  gone: () => Readonly<Record<string, number>>;
  queuedBytes: () => number;
  /** Age of the oldest write that the file does not have yet, in seconds. */
  mirrorLagSeconds: () => number;
  mirrorPending: () => number;
  /** Of the store that hubs share; left out where there is none. */
  store?: () => StoreFigures;
  pendingVerifications: () => number;
  arenaBytes: () => number;
  /** Different attributes and further resources, with their values, that have numbers. */
  facts: () => number;
  /** Advertisements that keep theirs as texts, because no number is left. */
  unnumberedAdvertisements: () => number;
  /** Reads in steps that wait or are being made. */
  pendingReads: () => number;
  /** Is told of each time from a change until its events were sent, in seconds. */
  onEventsSent?: ((seconds: number) => void) | undefined;
}

const LATENCY_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** The numbers that an operator watches, in Prometheus' text form. */
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
    // It reads a folder with an entry for each socket, and nothing else happens meanwhile.
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
      help: 'Time until a provider was told who sees it',
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
      help: 'Requests that were refused, over HTTP and WebSocket, by error code',
      labelNames: ['code'],
      registers,
    });
    this.#limited = new Counter({
      name: 'discovery_rate_limited_total',
      help: 'Requests and handshakes refused for their rate',
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
        help: 'What this run of the hub is called in the shared store',
        labelNames: ['hub'],
        registers,
        collect() {
          this.reset();
          this.set({ hub: store().hub }, 1);
        },
      });
      gauge(
        'discovery_store_revision',
        'The last revision of the shared store that is applied',
        () => store().revision,
      );
      gauge(
        'discovery_store_lease_age_seconds',
        'Time since the lease by which the other hubs know that this one runs was renewed',
        () => store().leaseAgeMs / 1000,
      );
      gauge('discovery_store_watch_restarts', 'How often the watch of the store began anew', () =>
        Object.values(store().watchRestarts).reduce((all, some) => all + some, 0),
      );
      gauge('discovery_store_conflicts', 'Writes that another hub came before', () => store().conflicts);
      gauge(
        'discovery_store_transactions',
        'Transactions that wrote to the store',
        () => store().transactions,
      );
      gauge('discovery_store_records', 'Records that they wrote', () => store().records);
    }
    gauge('discovery_connections', 'Open WebSocket connections', sources.connections);
    gauge('discovery_readers', 'Open streamed HTTP responses', sources.readers);
    gauge('discovery_sessions', 'Authenticated provider sessions', sources.sessions);
    gauge('discovery_subscribers', 'Open subscriptions', sources.subscriptions);
    gauge('discovery_streams', 'Distinct filters that somebody is subscribed to', sources.streams);
    gauge(
      'discovery_queue_bytes',
      'Bytes that wait in WebSockets and streamed responses',
      sources.queuedBytes,
    );
    gauge(
      'discovery_mirror_lag_seconds',
      'Age of the oldest write that is not in the file',
      sources.mirrorLagSeconds,
    );
    gauge('discovery_mirror_pending', 'Writes that wait for the mirror', sources.mirrorPending);
    gauge(
      'discovery_verifications_pending',
      'Signatures that wait to be verified',
      sources.pendingVerifications,
    );
    gauge(
      'discovery_arena_bytes',
      'Bytes of rendered advertisements and proofs in memory',
      sources.arenaBytes,
    );
    gauge(
      'discovery_facts',
      'Different attributes and further resources, with their values, that have numbers',
      sources.facts,
    );
    gauge(
      'discovery_advertisements_unnumbered',
      'Advertisements whose attributes are kept as texts, because the bound on different ones is reached',
      sources.unnumberedAdvertisements,
    );
    gauge(
      'discovery_reads_pending',
      'Lists, explanations, markets and visibilities that wait or are being made in steps',
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
      help: 'Connections closed the moment they came, because no file is left for them',
      registers,
      collect() {
        this.reset();
        this.inc(sources.refusedConnections());
      },
    });
    new Counter({
      name: 'discovery_departures_total',
      help: 'Advertisements that went, by reason',
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
    // Peers may send any number; only the hub's own and the usual ones get a series of their own.
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
