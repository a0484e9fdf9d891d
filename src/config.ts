import * as z from 'zod';
import { ClientAddress } from './gateway/client-address.js';
import { readCertificate, type TlsFiles } from './gateway/transports/tls.js';
import { readStoreSettings, StoreSettingsError } from './store-settings.js';
import type { SharedLogSettings } from './registry/etcd/settings.js';
import { type DatabaseLocation, parseDatabaseUrl } from './registry/mirror/location.js';
import { type GivenText, SettingSources } from './setting-sources.js';

const MB = 1024 * 1024;

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/, `must be a whole number from ${String(min)} to ${String(max)}`)
    .transform(Number)
    .refine(
      (value) => value >= min && value <= max,
      `must be a whole number from ${String(min)} to ${String(max)}`,
    );

const seconds = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,7}(\.\d{1,3})?$/, `must be a number of seconds from ${String(min)} to ${String(max)}`)
    .transform(Number)
    .refine(
      (value) => value >= min && value <= max,
      `must be a number of seconds from ${String(min)} to ${String(max)}`,
    );

/** A limit by client address: without a number it goes with the limit of requests, and there is none where that is off. */
const perAddress = (usual: number) =>
  z
    .union([z.literal('auto').transform(() => null), whole(0, 1_000_000_000)], {
      error: 'must be auto or a whole number from 0 to 1000000000',
    })
    .transform((limit) => ({ of: (rateLimit: number): number => limit ?? (rateLimit === 0 ? 0 : usual) }));

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

const flag = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'], 'must be true or false'))
  .transform((text) => ['true', '1', 'yes', 'on'].includes(text));

/** Runs a parser that throws, and reports what it says as the setting's problem. */
function parsed<Value>(parser: (text: string) => Value) {
  return z.string().transform((text, context): Value => {
    try {
      return parser(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });
}

const PUBLIC_HOST =
  /^(?:(?:https?|wss?):\/\/)?((?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?)\/?$/i;

/** A host with or without a port; of a URL, as operators have it at hand, what is dialled. */
function readPublicHost(text: string): string {
  const host = PUBLIC_HOST.exec(text)?.[1];
  if (host !== undefined) return host.toLowerCase();
  throw new Error(
    `must be hosts as providers dial them, e.g. hub.example.org or hub.example.org:8443; ${JSON.stringify(text.slice(0, 64))} is none`,
  );
}

const ENDPOINT = /^https?:\/\/[\w.-]+(:\d{1,5})?\/?$|^https?:\/\/\[[0-9a-f:.]+\](:\d{1,5})?\/?$/i;

/** The URL of a node of etcd, with its port. */
function readEndpoint(text: string): string {
  if (!ENDPOINT.test(text)) {
    const given = JSON.stringify(text.slice(0, 64));
    throw new Error(`must be URLs like http://etcd-1:2379 or https://etcd-1:2379; ${given} is none`);
  }
  const { protocol, hostname, port } = new URL(text);
  return `${protocol}//${hostname}:${port === '' ? (/:\d+\/?$/.exec(text)?.[0] ?? ':2379').replace(/[:/]/g, '') : port}`;
}

/** With no character that a URI has to escape. */
const SECURITY_CONTACT =
  /^(?:https:\/\/(?=[^/])|mailto:(?=[^@]+@[^@]+$)|tel:(?=\+?[\d-]+$))[\w.~:/?#[\]@!$&()*+,;=%-]+$/;

/**
 * Where to report what is wrong with this hub's security, as the URI that RFC 9116 asks for: of an e-mail address its `mailto:`. Null
 * where nobody is named.
 */
function readSecurityContact(text: string): string | null {
  if (text === '') return null;
  const uri = /^[^\s@:/]+@[^\s@:/]+$/.test(text) ? `mailto:${text}` : text;
  if (uri.length <= 256 && SECURITY_CONTACT.test(uri)) return uri;
  throw new Error('must be an e-mail address, or an https:, mailto: or tel: URI of at most 256 characters');
}

/** Every setting: its name without prefix, its default as text, how it is read and what it is for. */
export const SETTINGS = {
  HOST: {
    fallback: '0.0.0.0',
    schema: z.string().min(1, 'must be an address to listen on'),
    about: 'address to listen on',
  },
  PORT: { fallback: '7465', schema: whole(0, 65_535), about: 'port to listen on; 0 picks a free one' },
  DEBUG: {
    fallback: 'false',
    schema: flag,
    about: 'log each connection, authentication, refusal, subscription and write',
  },
  RATE_LIMIT_PER_MINUTE: {
    fallback: '100',
    schema: whole(0, 1_000_000_000),
    about: 'requests and handshakes a minute and client address; 0: no limit',
  },
  DB_URL: {
    fallback: 'sqlite:///discovery.db',
    schema: parsed(parseDatabaseUrl),
    about: 'the database file',
  },
  CLEANUP_INTERVAL_SECONDS: {
    fallback: '60',
    schema: seconds(0.2, 86_400),
    about: 'how often expired rows leave the file',
  },
  ADVERTISEMENT_EXPIRY_SECONDS: {
    fallback: '300',
    schema: seconds(1, 86_400),
    about: 'how long an advertisement counts after its last heartbeat',
  },
  HEARTBEAT_SECONDS: { fallback: '30', schema: seconds(0.2, 3600), about: 'how often the hub pings' },
  RESTART_GRACE_SECONDS: {
    fallback: '60',
    schema: seconds(0, 86_400),
    about: 'what a restart leaves every advertisement at least',
  },
  DRAIN_SECONDS: {
    fallback: '5',
    schema: seconds(0, 3600),
    about: 'over how long a stopping hub closes its connections; 0: all at once',
  },
  UNSIGNED: {
    fallback: 'reject',
    schema: z.enum(['reject', 'accept'], 'must be reject or accept'),
    about: 'whether requests of first-generation clients are let in',
  },
  TRANSPORT: {
    fallback: 'auto',
    schema: z.enum(['auto', 'uws', 'node'], 'must be auto, uws or node'),
    about: 'the socket library',
  },
  PUBLIC_HOSTS: {
    fallback: '',
    schema: parsed((text) => list.parse(text).map(readPublicHost)),
    about: 'what the hub is reached as, e.g. hub.example.org; comma-separated',
  },
  SECURITY_CONTACT: {
    fallback: '',
    schema: parsed(readSecurityContact),
    about:
      'where to report vulnerabilities of this hub: an e-mail address or URI, for /.well-known/security.txt',
  },
  TLS_CERT: {
    fallback: '',
    schema: z.string(),
    about: 'PEM file with the certificate of the hub and those between it and the root; empty: no TLS',
  },
  TLS_KEY: { fallback: '', schema: z.string(), about: 'PEM file with the key of that certificate' },
  TRUST_PROXY: {
    fallback: '',
    schema: parsed((text) => new ClientAddress(list.parse(text))),
    about: 'proxies whose X-Forwarded-For counts: addresses or CIDRs, comma-separated',
  },
  MESSAGES_PER_MINUTE: {
    fallback: '600',
    schema: whole(0, 1_000_000_000),
    about: 'WebSocket messages a minute and connection; 0: no limit',
  },
  MAX_SUBSCRIPTIONS: { fallback: '64', schema: whole(1, 100_000), about: 'subscriptions a connection' },
  MAX_FILTERS: { fallback: '20000', schema: whole(1, 1_000_000), about: 'different filters in use, in all' },
  MAX_QUEUED_MB: {
    fallback: '16',
    schema: whole(1, 63),
    about: 'megabytes that may wait in one connection',
  },
  MAX_TOTAL_QUEUED_MB: {
    fallback: '1024',
    schema: whole(1, 1_000_000),
    about: 'megabytes waiting in all connections above which the longest queues are given up',
  },
  MAX_CONNECTIONS_PER_ADDRESS: {
    fallback: 'auto',
    schema: perAddress(1000),
    about: 'WebSockets of a client address; auto: 1000',
  },
  MAX_SILENT_CONNECTIONS_PER_ADDRESS: {
    fallback: 'auto',
    schema: perAddress(128),
    about: 'connections of a client address that have not sent a whole request yet; auto: 128',
  },
  MAX_SUBSCRIPTIONS_PER_ADDRESS: {
    fallback: 'auto',
    schema: perAddress(4000),
    about: 'subscriptions of a client address; auto: 4000',
  },
  SUBSCRIBES_PER_MINUTE: {
    fallback: 'auto',
    schema: perAddress(1000),
    about: 'subscriptions that a client address may begin in a minute; auto: 1000',
  },
  MAX_ADVERTISEMENTS_PER_ADDRESS: {
    fallback: 'auto',
    schema: perAddress(1000),
    about: 'advertisements from a client address; auto: 1000',
  },
  NEW_NAMES_PER_DAY: {
    fallback: 'auto',
    schema: perAddress(100),
    about: 'names that a client address may bind to keys in a day; auto: 100',
  },
  INVALID_SIGNATURES_PER_MINUTE: {
    fallback: 'auto',
    schema: perAddress(100),
    about: 'invalid signatures of a client address before no more are looked at; auto: 100',
  },
  REPLAY_EVENTS: { fallback: '65536', schema: whole(1, 16_777_216), about: 'changes kept for resuming' },
  ETCD_ENDPOINTS: {
    fallback: '',
    schema: parsed((text) => list.parse(text).map(readEndpoint)),
    about:
      'the etcd that several hubs share, http:// or https:// URLs, comma-separated; empty: one hub, one file',
  },
  ETCD_PREFIX: {
    fallback: '/vm-discovery/',
    schema: z.string().regex(/^\/[\w./-]{0,126}\/$/, 'must begin and end with a slash'),
    about: 'what all keys in that etcd begin with; hubs that share it are one',
  },
  ETCD_CA: { fallback: '', schema: z.string(), about: 'PEM file with whom to trust for that etcd' },
  ETCD_CERT: {
    fallback: '',
    schema: z.string(),
    about: 'PEM file with the certificate that the hub shows to it',
  },
  ETCD_KEY: { fallback: '', schema: z.string(), about: 'PEM file with the key of that certificate' },
  ETCD_USERNAME: { fallback: '', schema: z.string(), about: 'whom the hub signs in to that etcd as' },
  ETCD_PASSWORD_FILE: { fallback: '', schema: z.string(), about: 'file with the password of that user' },
  HUB_NAME: {
    fallback: '',
    schema: z
      .string()
      .regex(/^[\w.-]{0,64}$/, 'must be at most 64 letters, digits, dots, dashes and underscores'),
    about: "what the hub is called among several; empty: the host's name",
  },
  ACCESS_LOG: { fallback: 'false', schema: flag, about: 'log each request once it is answered' },
} as const;

export type SettingName = keyof typeof SETTINGS;
/** Every setting's name, without prefix. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];
type SettingValues = { [Name in SettingName]: z.output<(typeof SETTINGS)[Name]['schema']> };

/** The settings of a hub, read and checked. */
export interface Config {
  host: string;
  port: number;
  debug: boolean;
  rateLimitPerMinute: number;
  database: DatabaseLocation;
  cleanupMs: number;
  expiryMs: number;
  heartbeatMs: number;
  restartGraceMs: number;
  drainMs: number;
  acceptUnsigned: boolean;
  transport: 'auto' | 'uws' | 'node';
  publicHosts: string[];
  /** The URI of whoever takes reports of vulnerabilities; null where nobody is named. */
  securityContact: string | null;
  /** Null where the hub speaks no TLS. */
  tls: TlsFiles | null;
  clientAddress: ClientAddress;
  messagesPerMinute: number;
  maxSubscriptions: number;
  maxFilters: number;
  maxQueuedBytes: number;
  maxTotalQueuedBytes: number;
  maxConnectionsPerAddress: number;
  maxSilentConnectionsPerAddress: number;
  maxSubscriptionsPerAddress: number;
  subscribesPerMinute: number;
  maxAdvertisementsPerAddress: number;
  newNamesPerDay: number;
  invalidSignaturesPerMinute: number;
  replayEvents: number;
  accessLog: boolean;
  /** The store that several hubs share; null where one hub has a file. */
  store: SharedLogSettings | null;
}

/** A setting has a value that cannot be used; the message names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** One setting as it was read. */
export interface CheckedSetting {
  name: SettingName;
  /** Null where it was not set, so that the default counts. */
  given: GivenText | null;
  /** What was read; a problem where that cannot be used. */
  result: { value: unknown } | { problem: string };
}

/** Reads each setting for itself. */
export function checkSettings(sources: SettingSources): CheckedSetting[] {
  return SETTING_NAMES.map((name) => {
    const { fallback, schema } = SETTINGS[name];
    const given = sources.find(name);
    const { success, data, error } = schema.safeParse(
      given === null || given.text === '' ? fallback : given.text,
    );
    if (success) return { name, given, result: { value: data } };
    const why = error.issues.map((issue) => issue.message).join('; ');
    const { variable, written, text } = given ?? {
      variable: `DISCOVERY_${name}`,
      written: fallback,
      text: fallback,
    };
    const readAs = text === written ? '' : ` (read as DISCOVERY_${name}=${text})`;
    const problem = `${variable}=${written}${readAs}: ${why}`;
    return { name, given, result: { problem } };
  });
}

/** What keeps a hub with these settings from starting, one line each. */
export function problemsOf(settings: readonly CheckedSetting[]): string[] {
  const problems = settings.flatMap(({ result }) => ('problem' in result ? [result.problem] : []));
  if (problems.length > 0) return problems;
  const values = valuesOf(settings);
  return [...tlsProblems(values), ...storeProblems(values)];
}

function valuesOf(settings: readonly CheckedSetting[]): SettingValues {
  const values = settings.map(({ name, result }) => [name, 'value' in result ? result.value : undefined]);
  // Each was made by the schema of its name.
  return Object.fromEntries(values) as SettingValues;
}

/**
 * Reads the settings from the command line, from the environment and, where these do not have them, from `.env`.
 * @param flags By name, without prefix.
 * @throws ConfigError naming every setting that cannot be used.
 */
export function loadConfig(
  environment: NodeJS.ProcessEnv,
  dotenvPath = '.env',
  flags: Readonly<Partial<Record<SettingName, string>>> = {},
): Config {
  const settings = checkSettings(openSources(environment, dotenvPath, flags));
  const problems = problemsOf(settings);
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return toConfig(valuesOf(settings));
}

/** @throws ConfigError when there is a `.env` that cannot be read. */
export function openSources(
  environment: NodeJS.ProcessEnv,
  dotenvPath = '.env',
  flags: Readonly<Partial<Record<SettingName, string>>> = {},
): SettingSources {
  try {
    return new SettingSources(flags, environment, dotenvPath);
  } catch (error) {
    throw new ConfigError((error as Error).message, { cause: error });
  }
}

function tlsProblems({ TLS_CERT: cert, TLS_KEY: key }: SettingValues): string[] {
  if (cert === '' && key === '') return [];
  if (cert === '' || key === '') {
    const missing = cert === '' ? 'DISCOVERY_TLS_CERT' : 'DISCOVERY_TLS_KEY';
    return [`${missing} is not set: a certificate is of no use without its key; set both, or neither`];
  }
  try {
    readCertificate({ cert, key });
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

function storeProblems(values: SettingValues): string[] {
  try {
    readStoreSettings(values);
    return [];
  } catch (error) {
    if (!(error instanceof StoreSettingsError)) throw error;
    return [error.message];
  }
}

function toConfig(values: SettingValues): Config {
  const rate = values.RATE_LIMIT_PER_MINUTE;
  return {
    host: values.HOST,
    port: values.PORT,
    debug: values.DEBUG,
    rateLimitPerMinute: values.RATE_LIMIT_PER_MINUTE,
    database: values.DB_URL,
    cleanupMs: values.CLEANUP_INTERVAL_SECONDS * 1000,
    expiryMs: values.ADVERTISEMENT_EXPIRY_SECONDS * 1000,
    heartbeatMs: values.HEARTBEAT_SECONDS * 1000,
    restartGraceMs: values.RESTART_GRACE_SECONDS * 1000,
    drainMs: values.DRAIN_SECONDS * 1000,
    acceptUnsigned: values.UNSIGNED === 'accept',
    transport: values.TRANSPORT,
    publicHosts: values.PUBLIC_HOSTS,
    securityContact: values.SECURITY_CONTACT,
    tls: values.TLS_CERT === '' ? null : { cert: values.TLS_CERT, key: values.TLS_KEY },
    clientAddress: values.TRUST_PROXY,
    messagesPerMinute: values.MESSAGES_PER_MINUTE,
    maxSubscriptions: values.MAX_SUBSCRIPTIONS,
    maxFilters: values.MAX_FILTERS,
    maxQueuedBytes: values.MAX_QUEUED_MB * MB,
    maxTotalQueuedBytes: values.MAX_TOTAL_QUEUED_MB * MB,
    maxConnectionsPerAddress: values.MAX_CONNECTIONS_PER_ADDRESS.of(rate),
    maxSilentConnectionsPerAddress: values.MAX_SILENT_CONNECTIONS_PER_ADDRESS.of(rate),
    maxSubscriptionsPerAddress: values.MAX_SUBSCRIPTIONS_PER_ADDRESS.of(rate),
    subscribesPerMinute: values.SUBSCRIBES_PER_MINUTE.of(rate),
    maxAdvertisementsPerAddress: values.MAX_ADVERTISEMENTS_PER_ADDRESS.of(rate),
    newNamesPerDay: values.NEW_NAMES_PER_DAY.of(rate),
    invalidSignaturesPerMinute: values.INVALID_SIGNATURES_PER_MINUTE.of(rate),
    replayEvents: values.REPLAY_EVENTS,
    accessLog: values.ACCESS_LOG,
    store: readStoreSettings(values),
  };
}
