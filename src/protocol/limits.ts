/** Every fixed limit of the protocol, with its unit in its name or comment. */
export const LIMITS = {
  /** Bytes of a WebSocket frame; a larger one closes the connection with 1009. */
  maxFrameBytes: 64 * 1024,
  /** Bytes of an HTTP request body, and of the payload of an `advertise` frame. */
  maxBodyBytes: 16 * 1024,
  /** Bytes of an HTTP query string. */
  maxQueryBytes: 8 * 1024,
  /** Nesting depth of a frame or body. */
  maxDepth: 16,
  /** Members and elements, over all containers of a frame or body. */
  maxValues: 4096,
  /** Characters of a request's `id`, if it is a string. */
  maxRequestIdLength: 64,
  /** Milliseconds by which a signed time may differ from the hub's clock. */
  maxClockSkewMs: 300_000,
  /** Milliseconds without a heartbeat after which a binding lapses. */
  bindingLifetimeMs: 30 * 24 * 3_600_000,
  /**
   * Milliseconds for which the newest signed time of a key id without an advertisement is remembered. After twice the skew, nothing it
   * signed earlier can be accepted any more.
   */
  keyMemoryMs: 1_800_000,
  maxCpu: 4096,
  maxMemory: 65_536,
  maxStorage: 10_000_000,
  maxExtraResources: 13,
  maxExtraPrices: 10,
  maxPriceTextLength: 64,
  maxPlatformLength: 32,
  maxNameLength: 64,
  maxNetworkLength: 64,
  maxAttributes: 32,
  /** Characters of a text attribute. */
  maxAttributeLength: 64,
  /** Values per list in a filter, e.g. countries. */
  maxFilterValues: 256,
  /** Attributes and further resources per filter, together. */
  maxFilterFacts: 16,
  /** Provider ids that a filter may exclude. */
  maxExcluded: 100,
  /** Matches that a subscription may be limited to. */
  maxFirst: 100,
  /** The largest `limit` of a list page. */
  maxPageSize: 1000,
  /** Advertisements per `snapshot` frame. */
  maxSnapshotBatch: 500,
  /** Milliseconds within which a connection has to authenticate or subscribe. */
  admissionMs: 10_000,
  /** Heartbeat intervals without a sign of life after which a connection is closed. */
  missedHeartbeats: 2.5,
  /** Minimum milliseconds between two `visibility` requests of a provider. */
  visibilityMs: 5000,
  /** Milliseconds between two bookmarks on a quiet connection; the contract says at least every 30 s. */
  bookmarkMs: 20_000,
  /** Seconds that a list request may wait for a change. */
  maxWaitSeconds: 60,
} as const;

export const PROTOCOL_VERSION = 1;
export const WEBSOCKET_PATH = '/api/v1/ws';
export const SUBPROTOCOLS = { json: 'vm-discovery.v1.json', msgpack: 'vm-discovery.v1.msgpack' } as const;
