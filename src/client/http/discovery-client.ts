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

/** What every request can be told. */
export interface RequestOptions {
  /** Gives the request up; it then rejects with a DiscoveryError `STOPPED`, whose `cause` is the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** What a client can be told about the way it makes requests. */
export interface DiscoveryClientOptions {
  /** Milliseconds that the hub may be silent, until it answers and within an answer; 10,000 unless given. */
  timeoutMs?: number | undefined;
  /** What makes requests, if not the platform's `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
  /** What tells the time and runs things later, for tests. */
  scheduler?: Scheduler | undefined;
  /** From 0 up to, not including, 1; for tests. */
  random?: (() => number) | undefined;
}

/** How to list. */
export interface FindOptions extends RequestOptions {
  /** `price` and `price_glm`: cheapest first, in that currency, unpriced last; `updated`: latest heartbeat first; otherwise by provider id. */
  sort?: (typeof SORTS)[number] | undefined;
  /** How many to get at most; all unless given. */
  limit?: number | undefined;
}

/** How to list page by page. */
export interface PageOptions extends RequestOptions {
  /** The order, as in `FindOptions`. */
  sort?: FindOptions['sort'];
  /** Advertisements on a page, 1 to 1000; 1000 unless given. */
  pageSize?: number | undefined;
  /** The `next` of an earlier page of the same list; from the beginning unless given. */
  after?: string | undefined;
}

/** One page of a list. */
export interface Page {
  /** In the order of the list. */
  advertisements: PublishedAdvertisement[];
  /** The point in the hub's stream of changes, `"<epoch>:<seq>"`, at which the page was true. */
  cursor: string;
  /** Where the next page begins; null on the last one. */
  next: string | null;
}

/** Who signs a write, for providers that have a name. */
export interface SignOptions extends RequestOptions {
  /** A name that the Ed25519 key owns, or will once it is used; the public key itself unless given. */
  providerId?: string | undefined;
}

/** How to sum up a market. */
export interface MarketOptions extends RequestOptions {
  /** What tells its buckets apart; the total alone unless given. */
  by?: MarketKey | undefined;
}

/** How a hub says it is. */
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

/**
 * The plain HTTP interface of a hub. Every method rejects with a `DiscoveryError`: with the hub's code when it
 * refused, `NETWORK` or `TIMEOUT` when it could not be reached, `UNEXPECTED` when what answers is not a hub.
 */
export class DiscoveryClient {
  readonly #http: HttpCaller;
  readonly #scheduler: Scheduler;

  /**
   * @param url `http(s)://host[:port]` of the hub, or of several that are one: what the one that is asked cannot do now, because it
   * is not reached, or cannot reach its store, the next one is asked for. Whoever answered last is asked first.
   * @throws DiscoveryError `USAGE` for a malformed URL.
   */
  constructor(url: HubAddress, options: DiscoveryClientOptions = {}) {
    this.#scheduler = options.scheduler ?? systemScheduler;
    const hubs = parseHubUrls(url, options.random ?? Math.random).map(({ http }) => http);
    this.#http = new HttpCaller(hubs, { ...options, scheduler: this.#scheduler });
  }

  /**
   * Milliseconds that the hub's clock is ahead of this one, to within a second, by its last answer; null before the first, and
   * in browsers, which do not tell. `Date.now() + clockOffsetMs` is what to hold the hub's times against.
   */
  get clockOffsetMs(): number | null {
    return this.#http.clockOffsetMs;
  }

  /**
   * The providers that match a filter, in one array. Without a limit they are all as of one moment; with one above
   * 1000 they are fetched page by page.
   */
  async find(filter: FilterInput = {}, options: FindOptions = {}): Promise<PublishedAdvertisement[]> {
    const { limit, sort, signal } = options;
    if (limit === undefined) return (await this.#page(listSearch(filter, { sort }), signal)).advertisements;
    const found: PublishedAdvertisement[] = [];
    const pageSize = Math.min(limit, LIMITS.maxPageSize);
    for await (const page of this.pages(filter, { sort, signal, pageSize })) {
      found.push(...page.advertisements);
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  /** The providers that match a filter, page by page, each fetched when it is asked for. */
  async *pages(
    filter: FilterInput = {},
    { sort, signal, pageSize = LIMITS.maxPageSize, after: start }: PageOptions = {},
  ): AsyncGenerator<Page, void, undefined> {
    let after = start ?? null;
    do {
      const page = await this.#page(listSearch(filter, { sort, limit: pageSize, after }), signal);
      yield page;
      after = page.next;
    } while (after !== null);
  }

  /** The advertisement of one provider; null when there is none. */
  get(providerId: string, options: RequestOptions = {}): Promise<PublishedAdvertisement | null> {
    return this.#orNull(this.#read(itemPath(providerId), publishedSchema, options));
  }

  /** What a provider signed, to be checked with `verifyProof`; null when there is nothing signed of it. */
  proof(providerId: string, options: RequestOptions = {}): Promise<Proof | null> {
    return this.#orNull(this.#read(`${itemPath(providerId)}/proof`, proofSchema, options));
  }

  /**
   * Publishes an advertisement, or refreshes it: without a session it expires unless this is done again in time.
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
   * Takes an advertisement back everywhere.
   * @param providerId A name that the Ed25519 key owns; the id of the key or signer unless given.
   * @returns False when there was none: also when a hub did it and failed before it said so, and another one was asked.
   */
  async withdraw(key: KeyPair | Signer, providerId?: string, options: RequestOptions = {}): Promise<boolean> {
    const signer = signerFrom(key, providerId);
    const answer = this.#http.call(itemPath(signer.providerId), anything, async () => ({
      ...(await this.#signed('DELETE', 'withdraw', '', signer)),
      signal: options.signal,
    }));
    return (await this.#orNull(answer)) !== null;
  }

  /** Why a list is as it is: how many each condition leaves out, and who comes nearest. */
  explain(filter: FilterInput = {}, options: RequestOptions = {}): Promise<Explanation> {
    return this.#read(`${EXPLAIN}${searchOf(filter)}`, explanationSchema, options);
  }

  /** Which conditions one provider misses, and where it stands among the matches; null when there is no such provider. */
  explainProvider(
    providerId: string,
    filter: FilterInput = {},
    options: RequestOptions = {},
  ): Promise<ProviderExplanation | null> {
    const search = searchOf(filter, { provider_id: providerId });
    return this.#orNull(this.#read(`${EXPLAIN}${search}`, providerExplanationSchema, options));
  }

  /** What the matches of a filter offer and ask, all together and by what they have in common. */
  market(filter: FilterInput = {}, options: MarketOptions = {}): Promise<Market> {
    const { by, signal } = options;
    return this.#read(`${MARKET}${searchOf(filter, { by })}`, marketSchema, { signal });
  }

  /** How the hub is: `degraded` while it cannot write, or while it is stopping. */
  async health(options: RequestOptions = {}): Promise<Health> {
    const { body } = await this.#http.call('/health', healthSchema, { ...options, expect: [200, 503] });
    return body;
  }

  async #page(search: string, signal: AbortSignal | undefined): Promise<Page> {
    const { body, headers } = await this.#http.call(`${ADVERTISEMENTS}${search}`, publishedList, { signal });
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

  /** Null where the hub says that there is no such advertisement. */
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
