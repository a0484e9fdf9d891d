import { filterSchema } from '../../protocol/filters/filter.js';
import { DOWN_SCHEMAS } from '../../protocol/frames/frames-down-schemas.js';
import type { DownType } from '../../protocol/frames/frames-down.js';
import { UP_SCHEMAS, type UpType } from '../../protocol/frames/frames-up.js';
import { hubHistorySchema, hubPointFrameSchema } from '../../protocol/vitals.js';
import { PROTOCOL_VERSION, SUBPROTOCOLS, WEBSOCKET_PATH } from '../../protocol/limits.js';
import { type JsonObject, schemaOf } from './openapi-parts.js';

/** What each client frame is for, and how the hub answers it. */
const REQUESTS: Readonly<Record<UpType, { summary: string; answers: readonly DownType[] }>> = {
  authenticate: { summary: 'Prove who a provider is', answers: ['authenticated', 'error'] },
  advertise: { summary: 'Publish or refresh an advertisement', answers: ['advertised', 'error'] },
  withdraw: { summary: 'Withdraw an advertisement', answers: ['withdrawn', 'error'] },
  heartbeat: { summary: 'Ask for a sign of life', answers: ['heartbeat'] },
  subscribe: { summary: 'Follow the matches of a filter', answers: ['subscribed', 'error'] },
  unsubscribe: { summary: 'Stop following a stream', answers: ['unsubscribed', 'error'] },
  visibility: { summary: 'Ask who sees the advertisement', answers: ['visibility', 'error'] },
};

/** What each hub frame says. */
const SUMMARIES: Readonly<Record<DownType, string>> = {
  welcome: 'The first frame of every connection',
  authenticated: 'The provider is authenticated',
  advertised: 'The advertisement is durable and visible',
  withdrawn: 'The advertisement is gone',
  removed: 'The advertisement was withdrawn elsewhere with the same key',
  heartbeat: "A sign of life, with the hub's time",
  subscribed: 'A stream starts, or resumes',
  snapshot: 'A part of the matches',
  events: 'What changed among the matches',
  bookmark: 'A cursor up to which nothing else has changed',
  unsubscribed: 'A stream has ended',
  visibility: 'Who sees the advertisement, and how its price ranks',
  error: 'A request was refused, or the connection is about to be closed',
};

/** Frames that the hub sends unsolicited over a WebSocket. */
const UNASKED: readonly DownType[] = ['welcome', 'removed', 'snapshot', 'events', 'bookmark', 'error'];
/** The frames of a stream of server-sent events, each event named after its frame. */
const READ: readonly DownType[] = ['subscribed', 'snapshot', 'events', 'bookmark', 'error'];

/** Events about the hub's own state. */
const VITALS = {
  'vitals.history': message(
    'history',
    "The hub's state over the last 15 minutes",
    schemaOf(hubHistorySchema, 'draft-7'),
  ),
  'vitals.point': message('point', "The hub's state now", schemaOf(hubPointFrameSchema, 'draft-7')),
} as const;

const ref = (...path: readonly string[]): JsonObject => ({
  $ref: `#/${path.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`,
});
/** Some client and hub frames share a type. */
const sent = (type: UpType): string => `client.${type}`;
const told = (type: DownType): string => `hub.${type}`;
const within = (channel: string, names: readonly string[]): JsonObject[] =>
  names.map((name) => ref('channels', channel, 'messages', name));
const messagesOf = (names: readonly string[]): JsonObject =>
  Object.fromEntries(names.map((name) => [name, ref('components', 'messages', name)]));

/**
 * The AsyncAPI 3.0 description of the WebSocket and of server-sent events, generated from the schemas that validate frames. It takes the
 * hub's perspective: what the hub receives is what clients send.
 */
export function buildAsyncApi(): JsonObject {
  const requests = Object.keys(UP_SCHEMAS) as UpType[];
  const answers = Object.keys(DOWN_SCHEMAS) as DownType[];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'VM discovery hub',
      version: `${String(PROTOCOL_VERSION)}.0.0`,
      description:
        'Live sessions of providers and streams of matches. The protocol, at /docs/protocol.md, defines the order of frames, close codes and signatures; /api/v1/openapi.json describes the plain HTTP interface.',
    },
    defaultContentType: 'application/json',
    servers: {
      websocket: {
        host: '{host}',
        protocol: 'wss',
        description: `ws if the hub has no TLS. Subprotocols: ${Object.values(SUBPROTOCOLS).join(', ')}; the latter sends the same frames as MessagePack.`,
        variables: { host: { default: 'localhost:7465', description: 'Host and port of the hub' } },
      },
      http: {
        host: '{host}',
        protocol: 'https',
        description: 'http if the hub has no TLS',
        variables: { host: { default: 'localhost:7465', description: 'Host and port of the hub' } },
      },
    },
    channels: {
      websocket: {
        address: WEBSOCKET_PATH,
        title: 'WebSocket',
        servers: [ref('servers', 'websocket')],
        messages: messagesOf([...requests.map(sent), ...answers.map(told)]),
      },
      events: {
        address: '/api/v1/events',
        title: 'Server-sent events',
        description:
          'The query contains the filter, as for a list; `sort`, `limit` and `resume` are those of `subscribe`. An event is named after the type of its frame; its id is the cursor.',
        servers: [ref('servers', 'http')],
        messages: messagesOf(READ.map(told)),
      },
      hubEvents: {
        address: '/api/v1/hub/events',
        title: 'Server-sent events about the hub',
        description: 'The operator decides how much is shown. An event is named after the type of its frame.',
        servers: [ref('servers', 'http')],
        messages: messagesOf(Object.keys(VITALS)),
      },
    },
    operations: {
      ...Object.fromEntries(
        requests.map((type) => [
          type,
          {
            action: 'receive',
            title: type,
            summary: REQUESTS[type].summary,
            channel: ref('channels', 'websocket'),
            messages: within('websocket', [sent(type)]),
            reply: {
              channel: ref('channels', 'websocket'),
              messages: within('websocket', REQUESTS[type].answers.map(told)),
            },
          },
        ]),
      ),
      tell: {
        action: 'send',
        title: 'tell',
        summary: 'Unsolicited frames from the hub',
        channel: ref('channels', 'websocket'),
        messages: within('websocket', UNASKED.map(told)),
      },
      readEvents: {
        action: 'send',
        title: 'readEvents',
        summary: 'The matches and their changes as they happen',
        channel: ref('channels', 'events'),
        messages: within('events', READ.map(told)),
      },
      readHubEvents: {
        action: 'send',
        title: 'readHubEvents',
        summary: "The hub's state, now and over the last 15 minutes",
        channel: ref('channels', 'hubEvents'),
        messages: within('hubEvents', Object.keys(VITALS)),
      },
    },
    components: {
      messages: {
        ...Object.fromEntries(
          requests.map((type) => [sent(type), message(type, REQUESTS[type].summary, requestSchema(type))]),
        ),
        ...Object.fromEntries(
          answers.map((type) => [
            told(type),
            message(type, SUMMARIES[type], schemaOf(DOWN_SCHEMAS[type], 'draft-7')),
          ]),
        ),
        ...VITALS,
      },
    },
  };
}

function message(name: string, summary: string, payload: JsonObject): JsonObject {
  return { name, title: name, summary, payload };
}

function requestSchema(type: UpType): JsonObject {
  const schema = schemaOf(UP_SCHEMAS[type], 'draft-7');
  if (type !== 'subscribe') return schema;
  // The frame's schema does not describe filters, which are parsed separately.
  const properties = { ...(schema['properties'] as JsonObject), filter: schemaOf(filterSchema, 'draft-7') };
  return { ...schema, properties };
}
