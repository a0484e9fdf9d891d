import { explanationSchema, marketSchema, providerExplanationSchema } from '../../protocol/answers.js';
import { advertisementSchema } from '../../protocol/advertisement.js';
import { ERROR_STATUS } from '../../protocol/errors.js';
import { LIMITS, PROTOCOL_VERSION, SUBPROTOCOLS, WEBSOCKET_PATH } from '../../protocol/limits.js';
import {
  eventsQuerySchema,
  explainQuerySchema,
  marketQuerySchema,
} from '../../protocol/filters/answer-queries.js';
import { listQuerySchema } from '../../protocol/filters/list-query.js';
import { KEY_PATTERN, SCHEMES, SIGNATURE_PATTERN } from '../../protocol/schemes/table.js';
import {
  AUTH_ERRORS,
  COMMON_ERRORS,
  CREDENTIALS,
  errorAnswer,
  HEX,
  JSON_CONTENT,
  type JsonObject,
  PATH_ERRORS,
  PROVIDER_ID,
  publishedAdvertisement,
  queryParameters,
  READ_ERRORS,
  REF,
  schemaOf,
  TIME,
} from './openapi-parts.js';

/** The OpenAPI 3.1 description of the HTTP interface, generated from the schemas that validate requests. */
export function buildOpenApi(): JsonObject {
  const advertisement = schemaOf(advertisementSchema);
  return {
    openapi: '3.1.0',
    info: {
      title: 'VM discovery hub',
      version: `${String(PROTOCOL_VERSION)}.0.0`,
      description:
        'A marketplace for virtual machines, where requestors find providers. Live sessions and match streams are at the WebSocket endpoint /api/v1/ws. [The protocol](/docs/protocol.md) describes it frame by frame, [AsyncAPI](/api/v1/asyncapi.json) for programs and [for people](/docs/asyncapi).',
    },
    externalDocs: { description: 'The protocol, WebSocket included', url: '/docs/protocol.md' },
    tags: [
      { name: 'Requestors', description: 'Find providers, and verify what they signed' },
      { name: 'Providers', description: 'Publish and withdraw an advertisement over HTTP' },
      { name: 'WebSocket', description: 'Sessions of providers, and streams of matches' },
      { name: 'Operators', description: 'Health and metrics' },
      { name: 'Descriptions', description: 'The interface itself' },
    ],
    paths: {
      '/api/v1/advertisements': {
        get: {
          operationId: 'listAdvertisements',
          tags: ['Requestors'],
          summary: 'Find providers',
          parameters: queryParameters(listQuerySchema),
          responses: {
            '200': {
              description: 'The matches',
              headers: {
                'X-Discovery-Cursor': {
                  description:
                    'The point in the stream of changes that this response shows; a subscription can resume from it',
                  schema: { type: 'string' },
                },
                Link: { description: 'The next page, if there is one', schema: { type: 'string' } },
              },
              content: JSON_CONTENT({ type: 'array', items: REF('PublishedAdvertisement') }),
            },
            '304': {
              description: 'With `since` and `wait`: the matches have not changed since the cursor',
              headers: {
                'X-Discovery-Cursor': {
                  description: 'Nothing has changed up to this cursor; continue to wait from here',
                  schema: { type: 'string' },
                },
              },
            },
            '400': errorAnswer('ADV_002: invalid filter; the message names the parameter'),
            ...COMMON_ERRORS,
            '500': errorAnswer('ADV_003: listing failed'),
          },
        },
        post: {
          operationId: 'advertise',
          tags: ['Providers'],
          summary: 'Publish or refresh an advertisement',
          parameters: CREDENTIALS,
          requestBody: { required: true, content: JSON_CONTENT(REF('Advertisement')) },
          responses: {
            '200': {
              description: 'It is durable and visible',
              content: JSON_CONTENT(REF('PublishedAdvertisement')),
            },
            '400': errorAnswer(
              'ADV_001, ADV_002 (resources), HTTP_400 (not JSON); the message names the member',
            ),
            ...AUTH_ERRORS,
            '413': errorAnswer(`HTTP_413: over ${String(LIMITS.maxBodyBytes)} bytes`),
            '415': errorAnswer('HTTP_415: not JSON'),
            ...COMMON_ERRORS,
            '503': errorAnswer('ADV_001: the hub cannot store anything at the moment'),
          },
        },
      },
      '/api/v1/events': {
        get: {
          operationId: 'readEvents',
          tags: ['Requestors'],
          summary: 'The matches and their changes as they happen, as server-sent events',
          parameters: [
            ...queryParameters(eventsQuerySchema),
            {
              name: 'Last-Event-ID',
              in: 'header',
              description: 'The cursor to resume from, as sent by browsers; takes precedence over `resume`',
              schema: { type: 'string' },
            },
          ],
          responses: {
            '200': {
              description:
                'An endless stream of events `subscribed`, `snapshot`, `events`, `bookmark` and `error`. The data is the frame of that type as defined by [the protocol](/docs/protocol.md), the id its cursor',
              content: { 'text/event-stream': { schema: { type: 'string' } } },
            },
            ...READ_ERRORS,
            '503': errorAnswer(
              'ADV_003: no place for another reader, WS_005: too many different filters in use',
            ),
          },
        },
      },
      '/api/v1/explain': {
        get: {
          operationId: 'explain',
          tags: ['Requestors'],
          summary: 'Why a list contains what it does',
          parameters: queryParameters(explainQuerySchema),
          responses: {
            '200': {
              description:
                'How many providers each condition rejects, or which conditions one provider misses',
              content: JSON_CONTENT({ anyOf: [REF('Explanation'), REF('ProviderExplanation')] }),
            },
            ...READ_ERRORS,
            '404': errorAnswer('ADV_004: no such advertisement'),
          },
        },
      },
      '/api/v1/market': {
        get: {
          operationId: 'market',
          tags: ['Requestors'],
          summary: 'Supply and prices of the matches',
          parameters: queryParameters(marketQuerySchema),
          responses: {
            '200': { description: 'Sums and quantiles', content: JSON_CONTENT(REF('Market')) },
            ...READ_ERRORS,
          },
        },
      },
      '/api/v1/advertisements/{provider_id}': {
        get: {
          operationId: 'getAdvertisement',
          tags: ['Requestors'],
          summary: 'One advertisement',
          parameters: [PROVIDER_ID],
          responses: {
            '200': { description: 'The advertisement', content: JSON_CONTENT(REF('PublishedAdvertisement')) },
            ...PATH_ERRORS,
            '404': errorAnswer('ADV_004: no such advertisement'),
            ...COMMON_ERRORS,
          },
        },
        delete: {
          operationId: 'withdraw',
          tags: ['Providers'],
          summary: 'Withdraw an advertisement',
          parameters: [PROVIDER_ID, ...CREDENTIALS],
          responses: {
            '200': {
              description: 'It is gone',
              content: JSON_CONTENT({ type: 'object', properties: { status: { const: 'success' } } }),
            },
            ...PATH_ERRORS,
            ...AUTH_ERRORS,
            '404': errorAnswer('ADV_004: no such advertisement'),
            ...COMMON_ERRORS,
            '503': errorAnswer('ADV_001: the hub cannot store anything at the moment'),
          },
        },
      },
      '/api/v1/advertisements/{provider_id}/proof': {
        get: {
          operationId: 'getProof',
          tags: ['Requestors'],
          summary: 'What the provider signed',
          parameters: [PROVIDER_ID],
          responses: {
            '200': { description: 'The proof', content: JSON_CONTENT(REF('Proof')) },
            ...PATH_ERRORS,
            '404': errorAnswer('ADV_004: no such advertisement, or not a signed one'),
            ...COMMON_ERRORS,
          },
        },
      },
      '/api/v1/hub/events': {
        get: {
          operationId: 'readHubEvents',
          tags: ['Operators'],
          summary: "The hub's own state, now and over the last 15 minutes, as server-sent events",
          responses: {
            '200': {
              description:
                'An endless stream: an event `history`, then a `point` every few seconds; [AsyncAPI](/api/v1/asyncapi.json) describes them',
              content: { 'text/event-stream': { schema: { type: 'string' } } },
            },
            ...READ_ERRORS,
            '404': errorAnswer('HTTP_404: the hub does not show its own state'),
            '503': errorAnswer('ADV_003: no place for another reader'),
          },
        },
      },
      '/health': {
        get: {
          operationId: 'health',
          tags: ['Operators'],
          summary: 'Whether the hub is healthy',
          responses: {
            '200': { description: 'Healthy', content: JSON_CONTENT(REF('Health')) },
            '503': {
              description: 'It cannot write, or it is stopping',
              content: JSON_CONTENT(REF('Health')),
            },
          },
        },
      },
      '/metrics': {
        get: {
          operationId: 'metrics',
          tags: ['Operators'],
          summary: 'Metrics for Prometheus',
          responses: {
            '200': {
              description: 'Prometheus text',
              content: { 'text/plain': { schema: { type: 'string' } } },
            },
          },
        },
      },
      '/api/v1/openapi.json': {
        get: {
          operationId: 'openApi',
          tags: ['Descriptions'],
          summary: 'This description',
          responses: {
            '200': { description: 'OpenAPI 3.1', content: JSON_CONTENT({ type: 'object' }) },
            ...COMMON_ERRORS,
          },
        },
      },
      '/api/v1/asyncapi.json': {
        get: {
          operationId: 'asyncApi',
          tags: ['Descriptions'],
          summary: 'The frames of the WebSocket and of the server-sent events, described',
          responses: {
            '200': { description: 'AsyncAPI 3.0', content: JSON_CONTENT({ type: 'object' }) },
            ...COMMON_ERRORS,
          },
        },
      },
      '/docs': {
        get: {
          operationId: 'docs',
          tags: ['Descriptions'],
          summary: 'This description, readable in a browser',
          responses: {
            '200': { description: 'A page', content: { 'text/html': { schema: { type: 'string' } } } },
            ...COMMON_ERRORS,
          },
        },
      },
      [WEBSOCKET_PATH]: {
        get: {
          operationId: 'connect',
          tags: ['WebSocket'],
          summary: 'Live sessions and match streams',
          responses: {
            '101': { description: `A WebSocket: ${Object.values(SUBPROTOCOLS).join(' or ')}` },
            '400': errorAnswer('HTTP_400: not a WebSocket handshake, or only unknown subprotocols offered'),
            ...COMMON_ERRORS,
          },
        },
      },
    },
    components: {
      schemas: {
        Advertisement: advertisement,
        PublishedAdvertisement: publishedAdvertisement(advertisement),
        Explanation: schemaOf(explanationSchema),
        ProviderExplanation: schemaOf(providerExplanationSchema),
        Market: schemaOf(marketSchema),
        Proof: {
          type: 'object',
          required: ['provider_id', 'scheme', 'public_key', 't', 'payload', 'signature'],
          properties: {
            provider_id: { type: 'string' },
            scheme: { enum: SCHEMES.map(({ name }) => name) },
            public_key: {
              ...HEX(KEY_PATTERN),
              type: ['string', 'null'],
              description:
                'null if the provider id is an Ethereum address, which itself determines the signer',
            },
            t: { type: 'integer', description: 'Unix time in milliseconds' },
            payload: { type: 'string', description: 'The exact text that was signed' },
            signature: HEX(SIGNATURE_PATTERN),
          },
        },
        Health: {
          type: 'object',
          required: ['status'],
          properties: { status: { enum: ['healthy', 'degraded'] }, reason: { type: 'string' } },
        },
        Error: {
          type: 'object',
          required: ['code', 'message', 'timestamp'],
          properties: {
            code: { enum: Object.keys(ERROR_STATUS) },
            message: { type: 'string' },
            timestamp: TIME,
          },
        },
      },
    },
  };
}
