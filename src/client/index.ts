/**
 * The client of a VM discovery hub, for providers and requestors. The same module runs in Node and in browsers; in Node there are also
 * functions that keep keys in files.
 *
 * A provider stays advertised for as long as this runs:
 *
 * ```ts
 * import { loadOrCreateKey, ProviderSession } from 'vm-discovery-hub/client';
 *
 * const session = new ProviderSession('https://hub.example', {
 *   key: await loadOrCreateKey('provider.pem'),
 *   advertisement: { ip_address: '203.0.113.7', country: 'SE', resources: { cpu: 4, memory: 8, storage: 40 } },
 * });
 * session.on('state', ({ state, error }) => console.log(state, error?.message ?? ''));
 * session.start();
 * ```
 *
 * A requestor sees the matches and every change to them:
 *
 * ```ts
 * import { watch } from 'vm-discovery-hub/client';
 *
 * const matches = watch('https://hub.example', { cpu: 2, memory: 4, country: ['SE', 'NO'] });
 * await matches.ready;
 * console.log([...matches.providers.values()]);
 * for await (const change of matches) console.log(change.type, change.advertisement);
 * ```
 *
 * @module
 */
export type { Change } from './watch/changes.js';
export type { Scheduler } from './scheduler.js';
export type { ConnectionState, ConnectOptions, StateChange } from './connection/hub-connection.js';
export type { Transport, TransportOptions } from './connection/transport.js';
export type { AdvertisementInput } from './content.js';
export {
  DiscoveryClient,
  type DiscoveryClientOptions,
  type FindOptions,
  type Health,
  type MarketOptions,
  type Page,
  type PageOptions,
  type RequestOptions,
  type SignOptions,
} from './http/discovery-client.js';
export type { HubAddress } from './hub-url.js';
export { filterFromQuery, filterToQuery } from './search.js';
export { DiscoveryError, type DiscoveryErrorCode, type LocalErrorCode } from './errors.js';
export { generateEthereumKey, generateKey, keyFromSeed, seedOf } from './signing/keys.js';
export {
  type ProofExpectation,
  type ProofInput,
  type VerifiedProof,
  verifyProof,
} from './signing/verify-proof.js';
export {
  ProviderSession,
  type ProviderSessionOptions,
  type SessionEvents,
  type SessionState,
} from './session/provider-session.js';
export type { AdvertisementSource } from './session/publisher.js';
export { ed25519Signer, ethereumSigner, type Signer, walletSigner } from './signing/signer.js';
export {
  type HubWatch,
  watchHub,
  type HubWatchEvents,
  type HubWatchOptions,
  type HubWatchState,
} from './watch/watch-hub.js';
export { type Watch, watch, type WatchEvents, type WatchOptions, type WatchState } from './watch/watch.js';
export type {
  ClientSocket,
  SocketClosure,
  SocketListener,
  WebSocketFactory,
} from './connection/web-socket.js';
export type {
  Advertisement,
  AdvertisementStatus,
  Pricing,
  PublishedAdvertisement,
} from '../protocol/advertisement.js';
export type {
  Explanation,
  Market,
  MarketBucket,
  MarketKey,
  Miss,
  ProviderExplanation,
  Quantiles,
  Visibility,
} from '../protocol/answers.js';
export type { CodecName } from '../protocol/frames/codec.js';
export type { ErrorCode } from '../protocol/errors.js';
export { type Amounts, comparePrices, monthlyEstimate } from '../protocol/filters/estimate.js';
export type { Filter, FilterInput } from '../protocol/filters/filter.js';
export type { RankSort } from '../protocol/filters/first.js';
export type { RemovalReason } from '../protocol/frames/frames-down.js';
export type { KeyPair } from '../protocol/schemes/ed25519.js';
export type { SchemeName } from '../protocol/schemes/scheme.js';
export type { Proof } from '../protocol/signing.js';
export type { HubPoint, VitalsShown } from '../protocol/vitals.js';
