import { filterSchema } from '../protocol/filters/filter.js';
import { DOWN_SCHEMAS } from '../protocol/frames/frames-down-schemas.js';
import type { DownType } from '../protocol/frames/frames-down.js';
import { UP_SCHEMAS, type UpType } from '../protocol/frames/frames-up.js';
import { hubHistorySchema, hubPointFrameSchema } from '../protocol/vitals.js';
import { PROTOCOL_VERSION, SUBPROTOCOLS, WEBSOCKET_PATH } from '../protocol/limits.js';
import { type JsonObject, schemaOf } from './openapi-parts.js';

/** What each frame of a client is for, and with which frames the hub answers it. */
const REQUESTS: Readonly<Record<UpType, { summary: string; answers: readonly DownType[] }>> = {
  authenticate: { summary: 'Prove who a provider is', answers: ['authenticated', 'error'] },
  advertise: { summary: 'Publish or refresh an advertisement', answers: ['advertised', 'error'] },
  withdraw: { summary: 'Withdraw an advertisement', answers: ['withdrawn', 'error'] },
  heartbeat: { summary: 'Ask for a sign of life', answers: ['heartbeat'] },
  subscribe: { summary: 'Follow the matches of a filter', answers: ['subscribed', 'error'] },
  unsubscribe: { summary: 'Follow a stream no longer', answers: ['unsubscribed', 'error'] },
  visibility: { summary: 'Ask who sees the advertisement', answers: ['visibility', 'error'] },
};

/** What each frame of the hub says. */
const SUMMARIES: Readonly<Record<DownType, string>> = {
  welcome: 'The first frame of every connection',
  authenticated: 'The provider is who it says',
  advertised: 'The advertisement is durable and visible',
  withdrawn: 'The advertisement is gone',
  removed: 'The advertisement was withdrawn elsewhere with the same key',
  heartbeat: 'A sign of life, with the time of the hub',
  subscribed: 'A stream begins, or goes on where it was',
  snapshot: 'A part of what matches',
  events: 'What changed among the matches',
  bookmark: 'A cursor up to which nothing else has changed',
  unsubscribed: 'A stream is over',
  visibility: 'Who sees the advertisement, and where its price stands',
  error: 'A request was refused, or the connection is about to be closed',
};

/** What the hub sends unasked over a WebSocket. */
const UNASKED: readonly DownType[] = ['welcome', 'removed', 'snapshot', 'events', 'bookmark', 'error'];
/** What a stream of server-sent events has, each event named after its frame. */
const READ: readonly DownType[] = ['subscribed', 'snapshot', 'events', 'bookmark', 'error'];

/** What a hub tells of itself. */
const VITALS = {
  'vitals.history': message(
    'history',
    'What the hub was like in the last 15 minutes',
    schemaOf(hubHistorySchema, 'draft-7'),
  ),
  'vitals.point': message('point', 'What it is like now', schemaOf(hubPointFrameSchema, 'draft-7')),
} as const;

const ref = (...path: readonly string[]): JsonObject => ({
  $ref: `#/${path.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`,
});
/** Some frames of both sides have the same type. */
const sent = (type: UpType): string => `client.${type}`;
const told = (type: DownType): string => `hub.${type}`;
const within = (channel: string, names: readonly string[]): JsonObject[] =>
  names.map((name) => ref('channels', channel, 'messages', name));
const messagesOf = (names: readonly string[]): JsonObject =>
  Object.fromEntries(names.map((name) => [name, ref('components', 'messages', name)]));

/**
 * The AsyncAPI 3.0 description of the WebSocket and of the server-sent events, made from the schemas that frames are checked
 * with. It speaks for the hub: what the hub receives is what clients send.
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
        'Live sessions of providers and streams of matches. The order of frames, close codes and signatures are in the protocol, at /docs/protocol.md of the hub; the plain HTTP interface is in /api/v1/openapi.json.',
    },
    defaultContentType: 'application/json',
    servers: {
      websocket: {
        host: '{host}',
        protocol: 'wss',
        description: `ws where the hub has no TLS. Subprotocols: ${Object.values(SUBPROTOCOLS).join(', ')}; the last one sends the same frames as MessagePack.`,
        variables: { host: { default: 'localhost:7465', description: 'Host and port of the hub' } },
      },
      http: {
        host: '{host}',
        protocol: 'https',
        description: 'http where the hub has no TLS',
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
          'The query has the filter, as of a list; `sort`, `limit` and `resume` are those of `subscribe`. The name of an event is the type of its frame, its id the cursor.',
        servers: [ref('servers', 'http')],
        messages: messagesOf(READ.map(told)),
      },
      hubEvents: {
        address: '/api/v1/hub/events',
        title: 'Server-sent events about the hub',
        description:
          'How much is told is for the operator to say. The name of an event is the type of its frame.',
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
        summary: 'What the hub sends unasked',
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
        summary: 'What the hub is like, now and for the last 15 minutes',
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
  // Frames leave a filter to those who read filters.
  const properties = { ...(schema['properties'] as JsonObject), filter: schemaOf(filterSchema, 'draft-7') };
  return { ...schema, properties };
}
