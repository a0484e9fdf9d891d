import * as z from 'zod';
import {
  type Explanation,
  explanationSchema,
  type Market,
  type MarketKey,
  marketSchema,
  type ProviderExplanation,
  providerExplanationSchema,
} from '../../protocol/answers.js';
import type { PublishedAdvertisement } from '../../protocol/advertisement.js';
import type { FilterInput } from '../../protocol/filters/filter.js';
import { LIMITS } from '../../protocol/limits.js';
import type { SORTS } from '../../protocol/filters/list-query.js';
import type { KeyPair } from '../../protocol/schemes/ed25519.js';
import { readProviderId } from '../../protocol/provider-id.js';
import { schemeNamed } from '../../protocol/schemes/table.js';
import { formatSignatureHeader } from '../../protocol/signature-header.js';
import type { Proof } from '../../protocol/signing.js';
import { type Scheduler, systemScheduler } from '../scheduler.js';
import { signingTime } from '../signing/signing-time.js';
import { type AdvertisementInput, prepareAdvertisement } from '../content.js';
import { DiscoveryError } from '../errors.js';
import { publishedSchema } from '../connection/frames.js';
import { type HttpCall, HttpCaller } from './http-caller.js';
import { type HubAddress, parseHubUrls } from '../hub-url.js';
import { listSearch, nextAfter } from './list-search.js';
import { searchOf } from '../search.js';
import { proofSchema } from '../signing/verify-proof.js';
import { type Signer, signerFrom, signWith } from '../signing/signer.js';

const ADVERTISEMENTS = '/api/v1/advertisements';
const EXPLAIN = '/api/v1/explain';
const MARKET = '/api/v1/market';

/** Options of every request. */
export interface RequestOptions {
  /** Aborts the request, which then rejects with a DiscoveryError `STOPPED` whose `cause` is the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options of a client. */
export interface DiscoveryClientOptions {
  /** How long the hub may be silent, before and during a response, in milliseconds; 10,000 by default. */
  timeoutMs?: number | undefined;
  /** Makes requests; by default the platform's `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Clock and timers, for tests. */
  scheduler?: Scheduler | undefined;
  /** From 0 up to, not including, 1; for tests. */
  random?: (() => number) | undefined;
}

/** How to list. */
export interface FindOptions extends RequestOptions {
  /** `price` and `price_glm`: cheapest first, in US dollars or GLM, unpriced last; `updated`: latest heartbeat first; by default, by provider id. */
  sort?: (typeof SORTS)[number] | undefined;
  /** How many advertisements to return at most; all by default. */
  limit?: number | undefined;
}

/** How to list page by page. */
export interface PageOptions extends RequestOptions {
  /** The order, as in `FindOptions`. */
  sort?: FindOptions['sort'];
  /** Advertisements per page, 1 to 1000; 1000 by default. */
  pageSize?: number | undefined;
  /** The `next` of an earlier page of the same list; by default, starts at the beginning. */
  after?: string | undefined;
}

/** One page of a list. */
export interface Page {
  /** In the list's order. */
  advertisements: PublishedAdvertisement[];
  /** The point in the hub's stream of changes, `"<epoch>:<seq>"`, that the page shows. */
  cursor: string;
  /** Where the next page starts; null on the last one. */
  next: string | null;
}

/** Options of signed requests. */
export interface SignOptions extends RequestOptions {
  /** A name that the Ed25519 key owns, or will own after its first use; by default the public key itself. */
  providerId?: string | undefined;
}

/** How to sum up a market. */
export interface MarketOptions extends RequestOptions {
  /** What to group by; by default there is only the total. */
  by?: MarketKey | undefined;
}

/** A hub's health. */
export interface Health {
  /** `degraded` while it cannot take writes. */
  status: 'healthy' | 'degraded';
  /** Why it is degraded. */
  reason?: string | undefined;
}

const publishedList = z.array(publishedSchema);
const healthSchema: z.ZodType<Health> = z.object({
  status: z.enum(['healthy', 'degraded']),
  reason: z.string().optional(),
});
const anything = z.unknown();

/** What an advertisement takes in a list at most: what a provider may send, spelled in another way, and what the hub adds. */
const MAX_ADVERTISEMENT_BYTES = 4 * LIMITS.maxBodyBytes;
/** A list without a limit; no more fits into one string. */
const MAX_LIST_BYTES = 512 * 1024 * 1024;

/**
 * The plain HTTP interface of a hub. Methods reject with a `DiscoveryError`: with the hub's code if it refused, `NETWORK` or `TIMEOUT` if it
 * could not be reached, `UNEXPECTED` if the server is not a hub.
 */
export class DiscoveryClient {
  readonly #http: HttpCaller;
  readonly #scheduler: Scheduler;

  /**
   * @param url `http(s)://host[:port]` of the hub, or of several that act as one: if one cannot be reached, or cannot reach its store, the
   * next is asked. The one that answered last is asked first.
   * @throws DiscoveryError `USAGE` for a malformed URL.
   */
  constructor(url: HubAddress, options: DiscoveryClientOptions = {}) {
    this.#scheduler = options.scheduler ?? systemScheduler;
    const hubs = parseHubUrls(url, options.random ?? Math.random).map(({ http }) => http);
    this.#http = new HttpCaller(hubs, { ...options, scheduler: this.#scheduler });
  }

  /**
   * Milliseconds by which the hub's clock was ahead of this one at its last response, to within a second; null before the first, and in
   * browsers, which hide it. Compare the hub's times with `Date.now() + clockOffsetMs`.
   */
  get clockOffsetMs(): number | null {
    return this.#http.clockOffsetMs;
  }

  /**
   * The providers that match a filter, in one array. Without a limit, all are as of one moment; with a limit above 1000, they are fetched page
   * by page.
   */
  async find(filter: FilterInput = {}, options: FindOptions = {}): Promise<PublishedAdvertisement[]> {
    const { limit, sort, signal } = options;
    if (limit === undefined) {
      return (await this.#page(listSearch(filter, { sort }), MAX_LIST_BYTES, signal)).advertisements;
    }
    const found: PublishedAdvertisement[] = [];
    const pageSize = Math.min(limit, LIMITS.maxPageSize);
    for await (const page of this.pages(filter, { sort, signal, pageSize })) {
      found.push(...page.advertisements);
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  /** The providers that match a filter, page by page, each fetched on demand. */
  async *pages(
    filter: FilterInput = {},
    { sort, signal, pageSize = LIMITS.maxPageSize, after: start }: PageOptions = {},
  ): AsyncGenerator<Page, void, undefined> {
    let after = start ?? null;
    do {
      const search = listSearch(filter, { sort, limit: pageSize, after });
      const page = await this.#page(search, pageSize * MAX_ADVERTISEMENT_BYTES, signal);
      yield page;
      after = page.next;
    } while (after !== null);
  }

  /** The advertisement of one provider; null if there is none. */
  get(providerId: string, options: RequestOptions = {}): Promise<PublishedAdvertisement | null> {
    return this.#ofProvider(providerId, this.#read(itemPath(providerId), publishedSchema, options));
  }

  /** What a provider signed, for `verifyProof`; null if it has no signed advertisement. */
  proof(providerId: string, options: RequestOptions = {}): Promise<Proof | null> {
    return this.#ofProvider(providerId, this.#read(`${itemPath(providerId)}/proof`, proofSchema, options));
  }

  /**
   * Publishes or refreshes an advertisement: without a session, it expires unless this is repeated in time.
   * Resolves, with what the hub shows now, once it is durable.
   */
  async advertise(
    key: KeyPair | Signer,
    advertisement: AdvertisementInput,
    options: SignOptions = {},
  ): Promise<PublishedAdvertisement> {
    const signer = signerFrom(key, options.providerId);
    const { text } = prepareAdvertisement(advertisement);
    const { body } = await this.#http.call(ADVERTISEMENTS, publishedSchema, async () => ({
      ...(await this.#signed('POST', 'advertise', text, signer)),
      body: text,
      signal: options.signal,
    }));
    return body;
  }

  /**
   * Withdraws an advertisement.
   * @param providerId A name that the Ed25519 key owns; by default the id of the key or signer.
   * @returns False if there was none. With several hubs, also if one withdrew it but failed before confirming, and another was asked.
   */
  async withdraw(key: KeyPair | Signer, providerId?: string, options: RequestOptions = {}): Promise<boolean> {
    const signer = signerFrom(key, providerId);
    const answer = this.#http.call(itemPath(signer.providerId), anything, async () => ({
      ...(await this.#signed('DELETE', 'withdraw', '', signer)),
      signal: options.signal,
    }));
    return (await this.#orNull(answer)) !== null;
  }

  /** Why a list contains what it does: how many providers each condition rejects, and which come nearest. */
  explain(filter: FilterInput = {}, options: RequestOptions = {}): Promise<Explanation> {
    return this.#read(`${EXPLAIN}${searchOf(filter)}`, explanationSchema, options);
  }

  /** Which conditions one provider misses, and how it ranks among the matches; null if there is no such provider. */
  explainProvider(
    providerId: string,
    filter: FilterInput = {},
    options: RequestOptions = {},
  ): Promise<ProviderExplanation | null> {
    const search = searchOf(filter, { provider_id: providerId });
    return this.#ofProvider(
      providerId,
      this.#read(`${EXPLAIN}${search}`, providerExplanationSchema, options),
    );
  }

  /** Supply and prices of a filter's matches, overall and by group. */
  market(filter: FilterInput = {}, options: MarketOptions = {}): Promise<Market> {
    const { by, signal } = options;
    return this.#read(`${MARKET}${searchOf(filter, { by })}`, marketSchema, { signal });
  }

  /** The hub's health: `degraded` while it cannot write, or is stopping. */
  async health(options: RequestOptions = {}): Promise<Health> {
    const { body } = await this.#http.call('/health', healthSchema, { ...options, expect: [200, 503] });
    return body;
  }

  async #page(search: string, maxBytes: number, signal: AbortSignal | undefined): Promise<Page> {
    const { body, headers } = await this.#http.call(`${ADVERTISEMENTS}${search}`, publishedList, {
      signal,
      maxBytes,
    });
    return {
      advertisements: body,
      cursor: headers.get('X-Discovery-Cursor') ?? '',
      next: nextAfter(headers.get('Link')),
    };
  }

  async #read<Body>(path: string, schema: z.ZodType<Body>, options: RequestOptions): Promise<Body> {
    return (await this.#http.call(path, schema, options)).body;
  }

  async #signed(
    method: 'POST' | 'DELETE',
    action: 'advertise' | 'withdraw',
    payload: string,
    signer: Signer,
  ): Promise<HttpCall> {
    const t = signingTime(this.#scheduler.now());
    const signature = await new Promise<string>((resolve, reject) => {
      signWith(signer, { action, t, payload }, resolve, reject);
    });
    const publicKey = signer.publicKey ?? null;
    const scheme = schemeNamed(signer.scheme)!;
    return {
      method,
      headers: {
        'X-Provider-ID': signer.providerId,
        'X-Provider-Signature': formatSignatureHeader({ t, publicKey, scheme, signature }),
      },
    };
  }

  /**
   * What the hub says of one provider; null if it has no such advertisement.
   * @throws DiscoveryError `UNEXPECTED` if it speaks of another provider.
   */
  async #ofProvider<Result extends { provider_id: string }>(
    providerId: string,
    answer: Promise<Result>,
  ): Promise<Result | null> {
    const result = await this.#orNull(answer);
    if (result === null || result.provider_id === readProviderId(providerId)?.id) return result;
    throw new DiscoveryError(
      'UNEXPECTED',
      `the hub was asked about ${providerId}, and answered about ${result.provider_id}`,
      { retry: false },
    );
  }

  /** Null if the hub has no such advertisement. */
  async #orNull<Result>(result: Promise<Result>): Promise<Result | null> {
    try {
      return await result;
    } catch (error) {
      if (error instanceof DiscoveryError && error.code === 'ADV_004') return null;
      throw error;
    }
  }
}

function itemPath(providerId: string): string {
  return `${ADVERTISEMENTS}/${encodeURIComponent(providerId)}`;
}
