import { LIMITS, WEBSOCKET_PATH } from './protocol/limits.js';
import type { Config } from './config.js';
import { Door } from './door.js';
import { Gateway } from './gateway/gateway.js';
import { readVitals } from './gateway/events/vitals-reader.js';
import { LONG_BODIES_PER_ADDRESS } from './gateway/outgoing/long-bodies.js';
import type { Transport } from './gateway/transports/port.js';
import type { Certificate } from './gateway/transports/tls.js';
import { startTransport } from './gateway/transports/index.js';
import { HttpApi } from './http/api.js';
import { loadDocumentation } from './http/pages/documentation.js';
import { Metrics } from './http/metrics.js';
import { Journal } from './journal.js';
import type { Logger } from './log.js';
import { type Capacity, measureCapacity, shareOf } from './open-files.js';
import { type Clock, systemClock, TICK_MS } from './lib/clock.js';
import { type Copying, SharedLog } from './registry/etcd/shared-log.js';
import type { OpenLog } from './registry/log.js';
import { FileCopy } from './registry/mirror/copy/file-copy.js';
import type { DatabaseLocation } from './registry/mirror/location.js';
import { Mirror } from './registry/mirror/mirror.js';
import { openRegistry, type Taken } from './registry/open.js';
import type { Registry } from './registry/registry.js';
import { reportStart } from './start-report.js';
import { Verifier } from './registry/write/verifier/verifier.js';
import { WritePath } from './registry/write/write-path.js';
import { LoopLag } from './vitals/loop-lag.js';
import { type CountSources, Vitals } from './vitals/vitals.js';

/** How long a stopping hub waits for its last responses to be sent, in milliseconds. */
const LAST_ANSWERS_MS = 250;

/** A running hub. */
export interface Hub {
  /** The port it listens on. */
  readonly port: number;
  readonly transport: Transport['name'];
  /** How many connections the limit on open files leaves room for. */
  readonly capacity: Capacity;
  readonly registry: Registry;
  readonly gateway: Gateway;
  /** Advances time. Also runs by itself every `TICK_MS`. */
  tick(): void;
  /**
   * Reloads the certificate and its key for new handshakes.
   * @throws TlsError if they cannot be used; the old ones then stay in use.
   */
  renewCertificate(): Certificate;
  /** Refuses new work, closes all sockets with 4503 over the drain time, writes what is pending, and stops. */
  stop(): Promise<void>;
}

/** A hub that shares a store keeps a copy of it where it would keep all of its state, were it alone. */
function copyingFor(database: DatabaseLocation): Copying | null {
  return database.kind === 'file' ? { copy: new FileCopy(`${database.path}.copy`) } : null;
}

/**
 * Wires all parts of a hub together and starts it.
 * @throws Error whose message tells the operator what to do.
 * @param openLog Opens the log; by default the one that the settings ask for.
 */
export async function startHub(
  config: Config,
  log: Logger,
  clock: Clock = systemClock,
  openLog: OpenLog = config.store === null
    ? Mirror.in(config.database, log)
    : SharedLog.in(config.store, log, copyingFor(config.database)),
): Promise<Hub> {
  const taken: Taken = { kept: 0, expected: null };
  const endReport = reportStart(log, config.store === null ? 'database' : 'store', () => ({
    read: taken.kept,
    of: taken.expected,
  }));
  const {
    registry,
    log: entries,
    kept,
    counts,
  } = await openRegistry(openLog, config, clock, taken).finally(endReport);
  const restored = registry.store.size;
  if (kept > 0)
    log.info({ restored, leftOut: kept - restored }, 'restored the advertisements of the last run');
  const { unacceptable } = registry.restore;
  if (Object.keys(unacceptable).length > 0) {
    log.warn(
      { unacceptable },
      'dropped unsigned advertisements that would not be accepted today; counted by their first invalid member',
    );
  }
  const verifier = new Verifier();
  const quotas = {
    advertisements: config.maxAdvertisementsPerAddress,
    namesPerDay: config.newNamesPerDay,
    invalidSignaturesPerMinute: config.invalidSignaturesPerMinute,
  };
  const journal = new Journal(log, config.accessLog);
  const writePath = new WritePath(registry, entries, verifier.verify, quotas, counts, (...written) => {
    journal.written(...written);
  });
  const onError = (error: unknown): void => {
    log.error({ err: error }, 'unexpected error');
  };

  const capacity = measureCapacity();
  const share = shareOf(capacity, {
    webSockets: config.maxConnectionsPerAddress,
    silent: config.maxSilentConnectionsPerAddress,
  });
  const howMany: CountSources = {
    connections: () => gateway.sockets,
    readers: () => gateway.readers.size,
    sessions: () => gateway.sessions,
    subscriptions: () => gateway.streams.subscriptions,
    streams: () => gateway.streams.streams,
    live: () => registry.store.size - registry.store.suspects,
    suspect: () => registry.store.suspects,
  };
  const loopLag = config.hubEvents === 'all' ? new LoopLag() : null;
  const condition =
    loopLag === null ? null : { loopLag, mirror: entries, queuedBytes: () => gateway.queuedBytes };
  const vitals = config.hubEvents === null ? null : new Vitals(howMany, condition);
  const metrics: Metrics = new Metrics({
    ...howMany,
    refusedConnections: () => transport.refused,
    gone: () => registry.gone,
    queuedBytes: () => gateway.queuedBytes,
    mirrorLagSeconds: () => entries.lagMs / 1000,
    mirrorPending: () => entries.pending,
    pendingVerifications: () => verifier.pending,
    arenaBytes: () => registry.store.arena.usedBytes,
    facts: () => registry.store.numbers.facts.numbers.size,
    unnumberedAdvertisements: () => registry.store.numbers.facts.unnumbered,
    pendingReads: () => registry.work.size,
    onEventsSent: (seconds) => vitals?.noteMatchToSend(seconds),
    ...(entries instanceof SharedLog ? { store: () => entries.figures } : {}),
  });
  const gateway: Gateway = new Gateway(
    registry,
    writePath,
    {
      heartbeatMs: config.heartbeatMs,
      expirySeconds: config.expiryMs / 1000,
      messagesPerMinute: config.messagesPerMinute,
      maxConnections: capacity.webSockets,
      maxConnectionsPerAddress: share.webSockets,
      maxLongBodiesPerAddress: config.rateLimitPerMinute === 0 ? 0 : LONG_BODIES_PER_ADDRESS,
      maxSubscriptions: config.maxSubscriptions,
      maxSubscriptionsPerAddress: config.maxSubscriptionsPerAddress,
      subscribesPerMinute: config.subscribesPerMinute,
      maxFilters: config.maxFilters,
      maxQueuedBytes: config.maxQueuedBytes,
      maxTotalQueuedBytes: config.maxTotalQueuedBytes,
      publicHosts: config.publicHosts,
      tls: config.tls !== null,
    },
    { observer: metrics, journal, onError },
  );
  if (vitals !== null) {
    registry.onChange(() => {
      vitals.noteChange();
    });
  }
  const api = new HttpApi({
    registry,
    writePath,
    stopping: () => gateway.draining,
    originOf: (request) => config.clientAddress.ofRequest(request),
    addressOf: (request) => config.clientAddress.exactly(request),
    acceptUnsigned: config.acceptUnsigned,
    problem: () => {
      if (gateway.draining) return 'the hub is stopping';
      // Anybody may ask, so the details, such as file names, only go to the log.
      if (entries.problem === null) return null;
      return entries.isShared ? 'the store of the hubs cannot be written' : 'the database cannot be written';
    },
    reads: gateway,
    readVitals: vitals === null ? null : (address) => readVitals(gateway, vitals, address),
    metrics,
    documentation: loadDocumentation(config.tls !== null, config.securityContact, config.notice),
    onError,
    onRefusal: (code, request) => {
      const claimed = request.headers.get('x-provider-id') ?? null;
      journal.refused(code, config.clientAddress.ofRequest(request), claimed);
    },
  });

  const start = startTransport(config.transport);
  const door = new Door(
    config,
    gateway,
    api,
    metrics,
    clock,
    (id) => registry.store.find(id) !== undefined,
    journal,
  );
  let transport: Transport;
  try {
    transport = await start(
      { host: config.host, port: config.port },
      {
        websocketPath: WEBSOCKET_PATH,
        maxBodyBytes: LIMITS.maxBodyBytes,
        maxMessageBytes: LIMITS.maxFrameBytes,
        maxConnections: capacity.connections,
        maxSilentPerAddress: share.silent === 0 ? Number.POSITIVE_INFINITY : share.silent,
        tls: config.tls,
      },
      door,
    );
  } catch (error) {
    loopLag?.close();
    await Promise.all([entries.close(), verifier.close()]);
    throw error;
  }
  let knownShift = registry.clock.shift;
  const tick = (): void => {
    registry.tick();
    const { shift } = registry.clock;
    if (shift !== knownShift) {
      const stepMs = shift - knownShift;
      log.warn({ stepMs }, 'the wall clock was set; lifetimes of advertisements and bindings are unaffected');
      knownShift = shift;
    }
    gateway.tick();
    vitals?.tick(registry.clock.now, registry.clock.wall());
    journal.tick(registry.clock.now);
    writePath.saveCounts();
  };
  const timer = setInterval(tick, TICK_MS);

  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    // A load balancer has to find `/health` degraded, not gone.
    await gateway.drain(config.drainMs);
    transport.stopListening();
    // Responses that wait for the disk, and close frames, still have to be sent.
    registry.flushHeartbeats();
    writePath.saveCounts(Number.POSITIVE_INFINITY);
    await new Promise((resolve) => setTimeout(resolve, LAST_ANSWERS_MS));
    clearInterval(timer);
    loopLag?.close();
    journal.sumUp();
    await entries.close();
    await transport.close();
    await verifier.close();
  };
  return {
    port: transport.port,
    transport: transport.name,
    capacity,
    registry,
    gateway,
    tick,
    renewCertificate: () => transport.renewCertificate(),
    stop: () => (stopped ??= stop()),
  };
}
