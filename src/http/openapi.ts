import * as z from 'zod';
import { explanationSchema, marketSchema, providerExplanationSchema } from '../protocol/answers.js';
import { advertisementSchema } from '../protocol/advertisement.js';
import { type ConditionName, CONDITIONS, kindOf } from '../protocol/filters/conditions.js';
import { ERROR_STATUS } from '../protocol/errors.js';
import { LIMITS, PROTOCOL_VERSION, SUBPROTOCOLS, WEBSOCKET_PATH } from '../protocol/limits.js';
import { explainQuerySchema, marketQuerySchema } from '../protocol/filters/answer-queries.js';
import { isNamedByProviders, listQuerySchema, takesMany } from '../protocol/filters/list-query.js';
import { KEY_PATTERN, SCHEMES, SIGNATURE_PATTERN } from '../protocol/schemes/table.js';

type JsonObject = Record<string, unknown>;

/** JSON Schema of what a client may send. */
function schemaOf(schema: z.ZodType): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // This pattern knows no address that ends in IPv4 form, such as ::ffff:192.0.2.1, which the check accepts.
      if (jsonSchema.format === 'ipv6') delete jsonSchema.pattern;
    },
  });
  return rest;
}

const TIME = { type: 'string', format: 'date-time', description: 'ISO 8601 UTC with milliseconds' };
const HEX = (pattern: RegExp): JsonObject => ({ type: 'string', pattern: pattern.source });
const REF = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });
const JSON_CONTENT = (schema: JsonObject): JsonObject => ({ 'application/json': { schema } });

const OTHER_NOTES: Record<string, string> = {
  sort: '`price`: by the monthly estimate for the asked amounts, unpriced last; `price_glm`: by that in GLM; `updated`: newest first; default: by provider_id',
  limit: 'Advertisements a page; without it all matches',
  after: 'The cursor from the `Link: <…>; rel="next"` header of the previous page',
  provider_id: 'Explains this one',
  by: 'What the buckets have in common; without it there is only the total',
};

/** One for each attribute and further resource: as many parameters as providers have names for. */
const FACT_PARAMETERS: JsonObject[] = [
  {
    name: 'min.<resource>',
    in: 'query',
    description: CONDITIONS.min.description,
    schema: { type: 'integer', minimum: 0 },
  },
  {
    name: 'attr.<name>',
    in: 'query',
    description: CONDITIONS.attributes.description,
    schema: { type: 'array', items: { type: 'string' } },
    style: 'form',
    explode: true,
  },
  {
    name: 'attr.<name>.min',
    in: 'query',
    description: 'The attribute is a number of at least this',
    schema: { type: 'number' },
  },
  {
    name: 'attr.<name>.max',
    in: 'query',
    description: 'The attribute is a number of at most this',
    schema: { type: 'number' },
  },
];

function queryParameters(schema: z.ZodType): JsonObject[] {
  const { properties } = schemaOf(schema) as { properties: Record<string, JsonObject> };
  const own = Object.entries(properties).filter(([name]) => !isNamedByProviders(name));
  return [
    ...own.map(([name, property]) => {
      const { description: _, ...rest } = property;
      return {
        name,
        in: 'query',
        description:
          kindOf(name) === undefined ? OTHER_NOTES[name] : CONDITIONS[name as ConditionName].description,
        ...(takesMany(name)
          ? { schema: { type: 'array', items: { type: 'string' } }, style: 'form', explode: true }
          : { schema: rest }),
      };
    }),
    ...FACT_PARAMETERS,
  ];
}

/** @param codes What it is, with each code that may be in it before what that code means. */
function errorAnswer(codes: string): JsonObject {
  const examples = [...codes.matchAll(/\b([A-Z]{3,4}_\d{3})\b:?([^,;:]*)/g)].map(([, code, meaning]) => {
    const message = meaning!.replace(/[()]/g, '').trim() || codes;
    return [code!, { value: { code, message, timestamp: '2026-01-15T12:00:00.000Z' } }] as const;
  });
  const content = { schema: REF('Error'), examples: Object.fromEntries(examples) };
  return { description: codes, content: { 'application/json': content } };
}

const COMMON_ERRORS = {
  '429': errorAnswer(
    'RATE_001 too many requests, RATE_003 advertisements, RATE_004 new names, RATE_005 invalid signatures from this address; see Retry-After',
  ),
};

const READ_ERRORS = {
  '400': errorAnswer('ADV_002: invalid filter; the message names the parameter'),
  ...COMMON_ERRORS,
  '500': errorAnswer('ADV_003: it failed'),
  '503': errorAnswer('ADV_003: too much is being asked, or changes meanwhile; see Retry-After'),
};

const AUTH_ERRORS = {
  '401': errorAnswer('AUTH_001 invalid signature, AUTH_002 stale or replayed, AUTH_003 missing credentials'),
  '403': errorAnswer('AUTH_004: the id belongs to another key'),
};

const CREDENTIALS = [
  {
    name: 'X-Provider-ID',
    in: 'header',
    required: true,
    description: 'The public key in lower-case hex, a name, or an Ethereum address',
    schema: { type: 'string' },
  },
  {
    name: 'X-Provider-Signature',
    in: 'header',
    required: true,
    description:
      '`t=<Unix milliseconds>,k=<public key>,v1=<signature>`: Ed25519 over five fields, each but the last ended by a line feed: `vm-discovery/v1`, the action (`advertise` or `withdraw`), the provider id, t, and the exact bytes of the body (empty for `withdraw`). `k` may be left out when the id is a key id. An Ethereum address signs the same text as a personal message (EIP-191), and sends `t=<Unix milliseconds>,e1=<r s v>`, 130 hex digits.',
    schema: { type: 'string' },
  },
];

const PATH_ERRORS = { '400': errorAnswer('HTTP_400: the path has a broken percent-encoding') };

const PROVIDER_ID = { name: 'provider_id', in: 'path', required: true, schema: { type: 'string' } };

/** The published form: what providers send, with what the hub adds. */
function publishedAdvertisement(input: JsonObject): JsonObject {
  const sent = input['properties'] as Record<string, JsonObject>;
  return {
    type: 'object',
    required: [
      ...Object.keys(sent),
      'provider_id',
      'provider_name',
      'created_at',
      'updated_at',
      'status',
      'expires_at',
      'verified',
      'ip_confirmed',
    ],
    properties: {
      provider_id: { type: 'string' },
      ...sent,
      provider_name: {
        type: ['string', 'null'],
        description: 'The same as `name`: clients of the first generation read it',
      },
      created_at: { ...TIME, description: 'First advertised; kept across updates' },
      updated_at: { ...TIME, description: 'The last heartbeat' },
      status: { type: 'string', enum: ['live', 'suspect'] },
      expires_at: { ...TIME, description: 'When it goes unless another heartbeat comes' },
      verified: { type: 'boolean', description: 'Whether the provider signed it' },
      ip_confirmed: {
        type: 'boolean',
        description: 'Whether the hub has seen it, or the session that stands for it, come from `ip_address`',
      },
    },
  };
}

/** The OpenAPI 3.1 description of the HTTP interface, made from the schemas that validate. */
export function buildOpenApi(): JsonObject {
  const advertisement = schemaOf(advertisementSchema);
  return {
    openapi: '3.1.0',
    info: {
      title: 'VM discovery hub',
      version: `${String(PROTOCOL_VERSION)}.0.0`,
      description:
        'Where providers of virtual machines and those who look for one meet. Live sessions and match streams are at the WebSocket endpoint /api/v1/ws, which [the protocol](/docs/protocol.md) describes frame by frame.',
    },
    externalDocs: { description: 'The protocol, WebSocket included', url: '/docs/protocol.md' },
    tags: [
      { name: 'Requestors', description: 'Find providers, and check what they say' },
      { name: 'Providers', description: 'Publish and withdraw an advertisement over HTTP' },
      { name: 'WebSocket', description: 'Sessions of providers, and streams of matches' },
      { name: 'Operators', description: 'Whether the hub is well' },
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
                    'Where in the stream of changes this was true; a subscription can resume from it',
                  schema: { type: 'string' },
                },
                Link: { description: 'The next page, where there is one', schema: { type: 'string' } },
              },
              content: JSON_CONTENT({ type: 'array', items: REF('PublishedAdvertisement') }),
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
      '/api/v1/explain': {
        get: {
          operationId: 'explain',
          tags: ['Requestors'],
          summary: 'Why a list is as it is',
          parameters: queryParameters(explainQuerySchema),
          responses: {
            '200': {
              description: 'What each condition leaves out, or what one provider misses',
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
          summary: 'What the matches offer and ask',
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
      '/health': {
        get: {
          operationId: 'health',
          tags: ['Operators'],
          summary: 'Whether the hub is well',
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
          summary: 'Numbers for Prometheus',
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
            '400': errorAnswer('HTTP_400: no WebSocket handshake, or only unknown subprotocols offered'),
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
                'null where the provider id is an Ethereum address, which says who has to have signed',
            },
            t: { type: 'integer', description: 'Unix time in milliseconds' },
            payload: { type: 'string', description: 'The text that was signed, to the byte' },
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
