import * as z from 'zod';
import { type ConditionName, CONDITIONS, kindOf } from '../../protocol/filters/conditions.js';
import { isNamedByProviders, takesMany } from '../../protocol/filters/list-query.js';

/** A piece of the OpenAPI document. */
export type JsonObject = Record<string, unknown>;

/** The JSON Schema of what a client may send, in the dialect of a document. */
export function schemaOf(
  schema: z.ZodType,
  target: 'draft-2020-12' | 'draft-7' = 'draft-2020-12',
): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    target,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // This pattern lacks addresses that end in IPv4 form, such as ::ffff:192.0.2.1, which validation accepts.
      if (jsonSchema.format === 'ipv6') delete jsonSchema.pattern;
    },
  });
  return rest;
}

export const TIME = { type: 'string', format: 'date-time', description: 'ISO 8601 UTC with milliseconds' };
export const HEX = (pattern: RegExp): JsonObject => ({ type: 'string', pattern: pattern.source });
export const REF = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });
export const JSON_CONTENT = (schema: JsonObject): JsonObject => ({ 'application/json': { schema } });

const OTHER_NOTES: Record<string, string> = {
  sort: '`price`: by the monthly estimate for the asked amounts, unpriced last; `price_glm`: by that in GLM; `updated`: newest first; default: by provider_id',
  limit: 'Advertisements per page; all matches if omitted',
  after: 'The cursor from the `Link: <…>; rel="next"` header of the previous page',
  provider_id: 'Explains this one',
  since:
    'With `wait`: answers once the matches differ from those at this cursor, the `X-Discovery-Cursor` of an earlier response',
  wait: 'How many seconds to wait for a change',
  resume:
    'The cursor to resume from, e.g. the `X-Discovery-Cursor` of a list; without it, a snapshot comes first',
  by: 'What to group by; without it, there is only the total',
};

/** Parameters per attribute and further resource, whose names providers choose. */
const FACT_PARAMETERS: JsonObject[] = [
  {
    name: 'min.<resource>',
    in: 'query',
    description:
      'At least that much of this other resource, e.g. `min.gpu=2`; a provider without it counts as 0',
    schema: { type: 'integer', minimum: 0 },
  },
  {
    name: 'attr.<name>',
    in: 'query',
    description:
      'The attribute equals one of these, repeated or comma-separated; what reads as a number or a boolean equals both that and the text. `attr.<name>.min` and `attr.<name>.max`: it is a number in this range',
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

/** The query parameters of a schema. */
export function queryParameters(schema: z.ZodType): JsonObject[] {
  const { properties } = schemaOf(schema) as { properties: Record<string, JsonObject> };
  const own = Object.entries(properties).filter(([name]) => !isNamedByProviders(name));
  return [
    ...own.map(([name, property]) => {
      const { description: _, ...rest } = property;
      return {
        name,
        in: 'query',
        description: noteOf(name),
        ...(takesMany(name)
          ? { schema: { type: 'array', items: { type: 'string' } }, style: 'form', explode: true }
          : { schema: rest }),
      };
    }),
    ...FACT_PARAMETERS,
  ];
}

function noteOf(parameter: string): string | undefined {
  if (kindOf(parameter) === undefined) return OTHER_NOTES[parameter];
  const { description } = CONDITIONS[parameter as ConditionName];
  return takesMany(parameter) ? `${description}; repeated or comma-separated` : description;
}

/** @param codes What it is, with each code that may be in it before what that code means. */
export function errorAnswer(codes: string): JsonObject {
  const examples = [...codes.matchAll(/\b([A-Z]{2,4}_\d{3})\b:?([^,;:]*)/g)].map(([, code, meaning]) => {
    const message = meaning!.replace(/[()]/g, '').trim() || codes;
    return [code!, { value: { code, message, timestamp: '2026-01-15T12:00:00.000Z' } }] as const;
  });
  const content = { schema: REF('Error'), examples: Object.fromEntries(examples) };
  return { description: codes, content: { 'application/json': content } };
}

export const COMMON_ERRORS = {
  '429': errorAnswer(
    'RATE_001 too many requests, RATE_003 advertisements, RATE_004 new names, RATE_005 invalid signatures from this address; see Retry-After',
  ),
};

export const READ_ERRORS = {
  '400': errorAnswer('ADV_002: invalid filter; the message names the parameter'),
  ...COMMON_ERRORS,
  '500': errorAnswer('ADV_003: it failed'),
  '503': errorAnswer(
    'ADV_003: too many requests are waiting, or too much changed meanwhile; see Retry-After',
  ),
};

export const AUTH_ERRORS = {
  '401': errorAnswer('AUTH_001 invalid signature, AUTH_002 stale or replayed, AUTH_003 missing credentials'),
  '403': errorAnswer('AUTH_004: the id belongs to another key'),
};

export const CREDENTIALS = [
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
      '`t=<Unix milliseconds>,k=<public key>,v1=<signature>`: Ed25519 over five fields, separated by line feeds: `vm-discovery/v1`, the action (`advertise` or `withdraw`), the provider id, t, and the exact bytes of the body (empty for `withdraw`). `k` may be left out when the id is a key id. An Ethereum address signs the same text as a personal message (EIP-191), and sends `t=<Unix milliseconds>,e1=<r s v>`, 130 hex digits.',
    schema: { type: 'string' },
  },
];

export const PATH_ERRORS = { '400': errorAnswer('HTTP_400: the path has a broken percent-encoding') };

export const PROVIDER_ID = { name: 'provider_id', in: 'path', required: true, schema: { type: 'string' } };

/** A published advertisement: what providers send, plus what the hub adds. */
export function publishedAdvertisement(input: JsonObject): JsonObject {
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
      expires_at: { ...TIME, description: 'When it expires without another heartbeat' },
      verified: { type: 'boolean', description: 'Whether the provider signed it' },
      ip_confirmed: {
        type: 'boolean',
        description: 'Whether the hub has seen it, or the session behind it, come from `ip_address`',
      },
    },
  };
}
