import * as z from 'zod';
import { ClientAddress } from './gateway/client-address.js';
import { parseDatabaseUrl } from './registry/mirror/location.js';

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

/** A limit per client address. `auto` is off if the limit on requests is off. */
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

/** Runs a parser that throws, and reports its message as the setting's problem. */
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

/** A host with an optional port, or the host of a URL, which operators are likely to paste. */
function readPublicHost(text: string): string {
  const host = PUBLIC_HOST.exec(text)?.[1];
  if (host !== undefined) return host.toLowerCase();
  throw new Error(
    `must be hosts as providers dial them, e.g. hub.example.org or hub.example.org:8443; ${JSON.stringify(text.slice(0, 64))} is none`,
  );
}

const ENDPOINT = /^https?:\/\/[\w.-]+(:\d{1,5})?\/?$|^https?:\/\/\[[0-9a-f:.]+\](:\d{1,5})?\/?$/i;

/** The URL of an etcd node, with its port. */
function readEndpoint(text: string): string {
  if (!ENDPOINT.test(text)) {
    const given = JSON.stringify(text.slice(0, 64));
    throw new Error(`must be URLs like http://etcd-1:2379 or https://etcd-1:2379; ${given} is none`);
  }
  const { protocol, hostname, port } = new URL(text);
  return `${protocol}//${hostname}:${port === '' ? (/:\d+\/?$/.exec(text)?.[0] ?? ':2379').replace(/[:/]/g, '') : port}`;
}

/** Without characters that a URI would have to escape. */
const SECURITY_CONTACT =
  /^(?:https:\/\/(?=[^/])|mailto:(?=[^@]+@[^@]+$)|tel:(?=\+?[\d-]+$))[\w.~:/?#[\]@!$&()*+,;=%-]+$/;

/**
 * Where to report vulnerabilities in this hub, as the URI that RFC 9116 asks for; an e-mail address becomes a `mailto:`. Null if
 * none is set.
 */
function readSecurityContact(text: string): string | null {
  if (text === '') return null;
  const uri = /^[^\s@:/]+@[^\s@:/]+$/.test(text) ? `mailto:${text}` : text;
  if (uri.length <= 256 && SECURITY_CONTACT.test(uri)) return uri;
  throw new Error('must be an e-mail address, or an https:, mailto: or tel: URI of at most 256 characters');
}

/** Every setting: its name without prefix, its default as text, its parser and its description. */
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
    about: 'requests and handshakes per minute and client address; 0: no limit',
  },
  DB_URL: {
    fallback: 'sqlite:///discovery.db',
    schema: parsed(parseDatabaseUrl),
    about: 'the database file',
  },
  CLEANUP_INTERVAL_SECONDS: {
    fallback: '60',
    schema: seconds(0.2, 86_400),
    about: 'how often expired rows are deleted from the file',
  },
  ADVERTISEMENT_EXPIRY_SECONDS: {
    fallback: '300',
    schema: seconds(1, 86_400),
    about: 'how long an advertisement lives after its last heartbeat',
  },
  HEARTBEAT_SECONDS: { fallback: '30', schema: seconds(0.2, 3600), about: 'how often the hub pings' },
  RESTART_GRACE_SECONDS: {
    fallback: '60',
    schema: seconds(0, 86_400),
    about: "an advertisement's minimum remaining lifetime after a restart",
  },
  DRAIN_SECONDS: {
    fallback: '5',
    schema: seconds(0, 3600),
    about: 'how long a stopping hub spreads out closing its connections; 0: all at once',
  },
  UNSIGNED: {
    fallback: 'reject',
    schema: z.enum(['reject', 'accept'], 'must be reject or accept'),
    about: 'accept admits first-generation clients, which do not sign',
  },
  TRANSPORT: {
    fallback: 'auto',
    schema: z.enum(['auto', 'uws', 'node'], 'must be auto, uws or node'),
    about: 'the socket library',
  },
  PUBLIC_HOSTS: {
    fallback: '',
    schema: parsed((text) => list.parse(text).map(readPublicHost)),
    about:
      'the hosts that clients dial, with the port unless it is 80 or 443, e.g. hub.example.org; comma-separated',
  },
  SECURITY_CONTACT: {
    fallback: '',
    schema: parsed(readSecurityContact),
    about:
      'where to report vulnerabilities in this hub: an e-mail address or URI, for /.well-known/security.txt',
  },
  TLS_CERT: {
    fallback: '',
    schema: z.string(),
    about: "PEM file with the hub's certificate, then the intermediates; empty: no TLS",
  },
  TLS_KEY: { fallback: '', schema: z.string(), about: "PEM file with that certificate's private key" },
  TRUST_PROXY: {
    fallback: '',
    schema: parsed((text) => new ClientAddress(list.parse(text))),
    about: 'proxies whose X-Forwarded-For is trusted: addresses or CIDRs, comma-separated',
  },
  MESSAGES_PER_MINUTE: {
    fallback: '600',
    schema: whole(0, 1_000_000_000),
    about: 'WebSocket messages per minute and connection; 0: no limit',
  },
  MAX_SUBSCRIPTIONS: { fallback: '64', schema: whole(1, 100_000), about: 'subscriptions per connection' },
  MAX_FILTERS: { fallback: '20000', schema: whole(1, 1_000_000), about: 'distinct filters in use, overall' },
  MAX_QUEUED_MB: {
    fallback: '16',
    schema: whole(1, 63),
    about: 'megabytes that may be queued on one connection',
  },
  MAX_TOTAL_QUEUED_MB: {
    fallback: '1024',
    schema: whole(1, 1_000_000),
    about: 'megabytes queued on all connections, beyond which those with the longest queues are closed',
  },
  MAX_CONNECTIONS_PER_ADDRESS: {
    fallback: 'auto',
    schema: perAddress(1000),
    about: 'WebSockets per client address; auto: 1000',
  },
  MAX_SILENT_CONNECTIONS_PER_ADDRESS: {
    fallback: 'auto',
    schema: perAddress(128),
    about: 'connections per client address that have not sent a whole request yet; auto: 128',
  },
  MAX_SUBSCRIPTIONS_PER_ADDRESS: {
    fallback: 'auto',
    schema: perAddress(4000),
    about: 'subscriptions per client address; auto: 4000',
  },
  SUBSCRIBES_PER_MINUTE: {
    fallback: 'auto',
    schema: perAddress(1000),
    about: 'new subscriptions per minute and client address; auto: 1000',
  },
  MAX_ADVERTISEMENTS_PER_ADDRESS: {
    fallback: 'auto',
    schema: perAddress(1000),
    about: 'advertisements per client address; auto: 1000',
  },
  NEW_NAMES_PER_DAY: {
    fallback: 'auto',
    schema: perAddress(100),
    about: 'names bound to keys per day and client address; auto: 100',
  },
  INVALID_SIGNATURES_PER_MINUTE: {
    fallback: 'auto',
    schema: perAddress(100),
    about: 'invalid signatures per minute, after which a client address is blocked; auto: 100',
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
    about: 'the prefix of all keys in that etcd; hubs with the same prefix act as one',
  },
  ETCD_CA: { fallback: '', schema: z.string(), about: 'PEM file with the CA to trust for that etcd' },
  ETCD_CERT: {
    fallback: '',
    schema: z.string(),
    about: "PEM file with the hub's client certificate for it",
  },
  ETCD_KEY: { fallback: '', schema: z.string(), about: "PEM file with that certificate's private key" },
  ETCD_USERNAME: { fallback: '', schema: z.string(), about: "the hub's user name in that etcd" },
  ETCD_PASSWORD_FILE: { fallback: '', schema: z.string(), about: "file with that user's password" },
  HUB_NAME: {
    fallback: '',
    schema: z
      .string()
      .regex(/^[\w.-]{0,64}$/, 'must be at most 64 letters, digits, dots, dashes and underscores'),
    about: "the hub's name among several; empty: the host's name",
  },
  NOTICE: {
    fallback: '',
    schema: z.string().max(200, 'must have at most 200 characters'),
    about: 'a notice at the top of every dashboard page, e.g. about maintenance',
  },
  HUB_EVENTS: {
    fallback: 'counts',
    schema: z.enum(['none', 'counts', 'all'], 'must be none, counts or all'),
    about: "what visitors may see of the hub's own state, at /api/v1/hub/events and on the Hub page",
  },
  ACCESS_LOG: { fallback: 'false', schema: flag, about: 'log each request once it is answered' },
} as const;

export type SettingName = keyof typeof SETTINGS;
/** Every setting's name, without prefix. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];
/** The parsed values. */
export type SettingValues = { [Name in SettingName]: z.output<(typeof SETTINGS)[Name]['schema']> };
