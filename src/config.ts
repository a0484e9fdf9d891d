import type { ClientAddress } from './gateway/client-address.js';
import { readCertificate, type TlsFiles } from './gateway/transports/tls.js';
import { readStoreSettings, StoreSettingsError } from './store-settings.js';
import type { VitalsShown } from './protocol/vitals.js';
import type { SharedLogSettings } from './registry/etcd/settings.js';
import type { DatabaseLocation } from './registry/mirror/location.js';
import { type GivenText, SettingSources } from './setting-sources.js';
import { SETTING_NAMES, type SettingName, SETTINGS, type SettingValues } from './settings.js';

const MB = 1024 * 1024;

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
  /** The URI to report vulnerabilities to; null if none is set. */
  securityContact: string | null;
  /** Null if the hub does not terminate TLS. */
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
  /** A notice at the top of every dashboard page; empty for none. */
  notice: string;
  /** How much of its own state the hub shows; null for nothing. */
  hubEvents: VitalsShown | null;
  /** The store that several hubs share; null for a single hub with a file. */
  store: SharedLogSettings | null;
}

/** A setting is invalid; the message names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** One setting, parsed. */
export interface CheckedSetting {
  name: SettingName;
  /** Null if it was not set and the default applies. */
  given: GivenText | null;
  /** The parsed value, or what is wrong with it. */
  result: { value: unknown } | { problem: string };
}

/** Parses each setting on its own. */
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
  // Each value was parsed by the schema of its name.
  return Object.fromEntries(values) as SettingValues;
}

/**
 * Reads the settings from the command line, the environment and `.env`, in this order of precedence.
 * @param flags By name, without prefix.
 * @throws ConfigError naming every invalid setting.
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

/** @throws ConfigError if there is a `.env` that cannot be read. */
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
    return [`${missing} is not set: a certificate and its key only work together; set both, or neither`];
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
    notice: values.NOTICE,
    hubEvents: values.HUB_EVENTS === 'none' ? null : values.HUB_EVENTS,
    store: readStoreSettings(values),
  };
}
