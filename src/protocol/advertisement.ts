import * as z from 'zod';
import { attributesSchema, type Attributes } from './attributes.js';
import { canonicalCountry, isAssignedCountry } from './countries.js';
import { ProtocolError } from './errors.js';
import { LIMITS } from './limits.js';
import { characterCount, hasControlCharacters, isWellFormed } from './text.js';
import { amount, boundedText, extraMembers, FACT_NAME } from './values.js';

export const countryCode = z
  .string('must be a two-letter ISO 3166-1 code such as "SE"')
  // Only ASCII letters are folded: full case mapping would turn one "ß" into two letters.
  .transform((code) => (/^[A-Za-z]{2}$/.test(code) ? canonicalCountry(code.toUpperCase()) : code))
  .refine(isAssignedCountry, 'must be an assigned ISO 3166-1 alpha-2 code such as "SE"')
  .meta({ pattern: '^[A-Za-z]{2}$', example: 'SE' });

const ipAddress = z
  .union([z.ipv4(), z.ipv6()], 'must be an IPv4 or IPv6 address without leading zeros, port or brackets')
  .meta({ example: '203.0.113.7' });

/** Resources for which filters have conditions of their own. */
export const KNOWN_RESOURCES: ReadonlySet<string> = new Set(['cpu', 'memory', 'storage']);

/** Cores, GB of memory and GB of disk, and any further resources. */
export const resourcesSchema = z
  .looseObject(
    {
      cpu: amount(1, LIMITS.maxCpu).describe('Cores'),
      memory: amount(1, LIMITS.maxMemory).describe('GB of memory'),
      storage: amount(1, LIMITS.maxStorage).describe('GB of disk'),
    },
    'must be an object with cpu, memory and storage',
  )
  .superRefine(
    extraMembers(KNOWN_RESOURCES, LIMITS.maxExtraResources, (name, value) => {
      if (!FACT_NAME.test(name)) {
        return 'is not a resource name: use a lower-case letter, then up to 31 of a-z, 0-9 and _';
      }
      return Number.isSafeInteger(value) && (value as number) >= 0
        ? null
        : 'must be an integer of at least 0';
    }),
  )
  .transform((resources) => resources as Resources);

/** What a provider has: three resources that all have, and others by their names. */
export interface Resources {
  /** Cores. */
  cpu: number;
  /** GB of memory. */
  memory: number;
  /** GB of disk. */
  storage: number;
  /** So many of a further resource, e.g. `gpu`. */
  [name: string]: number;
}

export const PRICE_MEMBERS = [
  'usd_per_core_month',
  'usd_per_gb_ram_month',
  'usd_per_gb_storage_month',
  'glm_per_core_month',
  'glm_per_gb_ram_month',
  'glm_per_gb_storage_month',
] as const;

/** @param description What is paid, and for what. */
const price = (description: string) =>
  z
    .number('must be a finite number of at least 0')
    .min(0, 'must be a finite number of at least 0')
    .optional()
    .describe(description);
const KNOWN_PRICES: ReadonlySet<string> = new Set(PRICE_MEMBERS);

/** Prices a month in US dollars and in GLM; further members are the provider's own. */
export const pricingSchema = z
  .looseObject(
    {
      usd_per_core_month: price('US dollars a month for each core'),
      usd_per_gb_ram_month: price('US dollars a month for each GB of memory'),
      usd_per_gb_storage_month: price('US dollars a month for each GB of disk'),
      glm_per_core_month: price('GLM a month for each core'),
      glm_per_gb_ram_month: price('GLM a month for each GB of memory'),
      glm_per_gb_storage_month: price('GLM a month for each GB of disk'),
    },
    'must be an object of prices',
  )
  .superRefine(
    extraMembers(KNOWN_PRICES, LIMITS.maxExtraPrices, (name, value) => {
      if (name.length === 0 || name.length > 64 || !isWellFormed(name) || hasControlCharacters(name)) {
        return 'is not a usable member name: use 1 to 64 printable characters';
      }
      if (typeof value === 'number') return Number.isFinite(value) ? null : 'must be a finite number';
      if (typeof value !== 'string') return 'must be a number or a string';
      if (characterCount(value) > LIMITS.maxPriceTextLength) return 'must have at most 64 characters';
      if (!isWellFormed(value)) return 'must be well-formed Unicode, without lone surrogates';
      return hasControlCharacters(value) ? 'must not contain control characters' : null;
    }),
  )
  .transform((pricing) => pricing as Pricing);

/** The pricing of an advertisement as it goes out. */
export interface Pricing {
  /** US dollars a month for each core. */
  usd_per_core_month?: number;
  /** US dollars a month for each GB of memory. */
  usd_per_gb_ram_month?: number;
  /** US dollars a month for each GB of disk. */
  usd_per_gb_storage_month?: number;
  /** GLM a month for each core. */
  glm_per_core_month?: number;
  /** GLM a month for each GB of memory. */
  glm_per_gb_ram_month?: number;
  /** GLM a month for each GB of disk. */
  glm_per_gb_storage_month?: number;
  /** Whatever else the provider says about its prices. */
  [name: string]: number | string | undefined;
}

/** Where customers reach the provider, at its address. */
export const endpointSchema = z.object(
  { port: amount(1, 65_535).describe('A TCP port, at `ip_address`') },
  'must be an object with a port',
);

/**
 * What a provider sends. Unknown members are dropped, so that newer providers can talk to older hubs;
 * an optional member may also be sent as null.
 */
export const advertisementSchema = z.object(
  {
    ip_address: ipAddress.describe('The IPv4 or IPv6 address at which the machine is reached'),
    country: countryCode.describe('Where the machine stands: an ISO 3166-1 alpha-2 code'),
    resources: resourcesSchema.describe(
      'Cores, GB of memory and GB of disk; whatever else the provider counts, e.g. `gpu`, is an integer',
    ),
    platform: boundedText(LIMITS.maxPlatformLength)
      .nullish()
      .meta({ example: 'x86_64' })
      .describe('The kind of processor'),
    pricing: pricingSchema
      .nullish()
      .describe('Prices a month in US dollars and in GLM; further members are the provider’s own'),
    name: boundedText(LIMITS.maxNameLength).nullish().describe('What the provider calls itself'),
    payments_network: boundedText(LIMITS.maxNetworkLength).nullish().describe('Where payments are settled'),
    attributes: attributesSchema.nullish().describe('Further facts by their names, e.g. `gpu_model`'),
    endpoint: endpointSchema.nullish().describe('Where those who rent reach it'),
  },
  'an advertisement must be a JSON object',
);

/** A checked advertisement: upper-case country, absent members left out or null. */
export type Advertisement = z.infer<typeof advertisementSchema>;

/** `suspect` once the provider's session is lost, until it comes back or its advertisement expires. */
export type AdvertisementStatus = 'live' | 'suspect';

/** What every client receives. Times are ISO 8601 UTC with milliseconds. */
export interface PublishedAdvertisement {
  /** Its Ed25519 public key in hex, its Ethereum address, or a name that a key owns. */
  provider_id: string;
  /** The IPv4 or IPv6 address where it claims to be reachable. */
  ip_address: string;
  /** ISO 3166-1 alpha-2, in upper case. */
  country: string;
  /** Cores, GB of memory, GB of disk, and further resources by their names. */
  resources: Resources;
  /** The kind of processor, e.g. `x86_64`. */
  platform: string | null;
  /** Prices a month in US dollars and GLM: for each core, GB of memory and GB of disk. */
  pricing: Pricing | null;
  /** What the provider calls itself. */
  name: string | null;
  /** The same as `name`: clients of the first generation read it. */
  provider_name: string | null;
  /** Where payments are settled. */
  payments_network: string | null;
  /** Further facts by their names. */
  attributes: Attributes | null;
  /** The TCP port, at `ip_address`, where those who rent reach it. */
  endpoint: {
    /** A TCP port. */
    port: number;
  } | null;
  /** When it was first advertised. */
  created_at: string;
  /** When the hub last heard from it: its advertisement or a heartbeat. */
  updated_at: string;
  /** Whether its session is open, or lost. */
  status: AdvertisementStatus;
  /** When it expires without another heartbeat. */
  expires_at: string;
  /** Whether the provider signed it. */
  verified: boolean;
  /** Whether the hub has seen the advertisement, or its session, come from `ip_address`. */
  ip_confirmed: boolean;
}

/** Formats one zod issue as `member: what is wrong`. */
export function describeIssue(issue: { path: PropertyKey[]; message: string }): string {
  const path = issue.path.map(String).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

/** Joins the first few issues, so that one response lists everything to fix. A value that breaks several rules may have one issue for each. */
export function describeIssues(issues: readonly { path: PropertyKey[]; message: string }[]): string {
  const described = [...new Set(issues.map(describeIssue))];
  const shown = described.slice(0, 5).join('; ');
  return described.length > 5 ? `${shown}; and ${String(described.length - 5)} more` : shown;
}

/** The schemas would silently drop a member called `__proto__`, although all other additional members are checked. */
function refuseProtoMember(
  value: unknown,
  member: 'resources' | 'pricing' | 'attributes',
  code: 'ADV_001' | 'ADV_002',
): void {
  const object = (value as Record<string, unknown>)[member];
  if (Object.hasOwn(object ?? {}, '__proto__')) {
    throw new ProtocolError(code, `${member}.__proto__: is not a usable member name`);
  }
}

/**
 * Validates a decoded advertisement.
 * @throws ProtocolError `ADV_002` if the first problem is in its resources, otherwise `ADV_001`.
 */
export function parseAdvertisement(value: unknown): Advertisement {
  const result = advertisementSchema.safeParse(value);
  if (result.success) {
    refuseProtoMember(value, 'resources', 'ADV_002');
    refuseProtoMember(value, 'pricing', 'ADV_001');
    refuseProtoMember(value, 'attributes', 'ADV_001');
    return result.data;
  }
  const { issues } = result.error;
  const code = issues[0]?.path[0] === 'resources' ? 'ADV_002' : 'ADV_001';
  throw new ProtocolError(code, describeIssues(issues));
}
