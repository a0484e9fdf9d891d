import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as z from 'zod';
import { explanationSchema, marketSchema, providerExplanationSchema } from '../../src/protocol/answers.js';
import { advertisementSchema } from '../../src/protocol/advertisement.js';
import { CLOSE } from '../../src/protocol/frames/close-codes.js';
import { ERROR_STATUS } from '../../src/protocol/errors.js';
import { filterSchema } from '../../src/protocol/filters/filter.js';
import { DOWN_SCHEMAS } from '../../src/protocol/frames/frames-down-schemas.js';
import { UP_SCHEMAS } from '../../src/protocol/frames/frames-up.js';
import { PROTOCOL_VERSION, SUBPROTOCOLS } from '../../src/protocol/limits.js';
import {
  eventsQuerySchema,
  explainQuerySchema,
  marketQuerySchema,
} from '../../src/protocol/filters/answer-queries.js';
import { listQuerySchema } from '../../src/protocol/filters/list-query.js';

/** By version of the protocol: the SHA-256 of what goes over the wire. */
const PINNED: Readonly<Record<number, string>> = {
  1: '75b172a6dbdf5b3ab15cf58fca586ede17b7cbdc72d312ed2c054e6354b9269d',
};

/**
 * Drops what only people read and what is zod's own way of writing a format, and sorts lists whose order says nothing.
 */
function normalize({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  delete jsonSchema.title;
  delete jsonSchema.description;
  delete jsonSchema['example'];
  delete jsonSchema.examples;
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  jsonSchema.required?.sort();
  jsonSchema.enum?.sort();
}

/** JSON Schema of what is written by the one side, and so accepted by the other. */
function wireForm(schema: z.ZodType): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: normalize,
  });
  return rest;
}

function wireForms(schemas: Readonly<Record<string, z.ZodType>>): unknown {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, wireForm(schema)]));
}

/** JSON in which members are sorted by name, so that their order in the source does not matter. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

test('what goes over the wire is what is pinned for this version of the protocol', () => {
  const wire = {
    version: PROTOCOL_VERSION,
    subprotocols: SUBPROTOCOLS,
    advertisement: wireForm(advertisementSchema),
    filter: wireForm(filterSchema),
    listQuery: wireForm(listQuerySchema),
    eventsQuery: wireForm(eventsQuerySchema),
    explainQuery: wireForm(explainQuerySchema),
    marketQuery: wireForm(marketQuerySchema),
    explanation: wireForm(explanationSchema),
    providerExplanation: wireForm(providerExplanationSchema),
    market: wireForm(marketSchema),
    up: wireForms(UP_SCHEMAS),
    down: wireForms(DOWN_SCHEMAS),
    errors: ERROR_STATUS,
    closeCodes: CLOSE,
  };
  const hash = createHash('sha256').update(canonicalJson(wire)).digest('hex');
  assert.equal(
    hash,
    PINNED[PROTOCOL_VERSION],
    `The wire schemas of protocol version ${String(PROTOCOL_VERSION)} have changed; their hash is now ${hash}. ` +
      'Decide: can clients and hubs of before this change still talk to those of after it, in both directions? ' +
      'If they can (say, a new optional member, frame or code), pin the new hash in this file and say in CHANGELOG.md ' +
      'what is new. If they cannot (something removed, renamed, made required or narrower), raise PROTOCOL_VERSION ' +
      'and the names in SUBPROTOCOLS in src/protocol/limits.ts, pin the hash for the new version, and say in CHANGELOG.md what ' +
      'breaks. If only zod was updated and it writes the same schema differently, pin the new hash.',
  );
});

test('notes and the order of members do not change the wire form; members, types and bounds do', () => {
  const form = (schema: z.ZodType) => canonicalJson(wireForm(schema));
  const known = { b: z.enum(['x', 'y']), a: z.int().max(5), description: z.string().optional() };
  const before = form(z.object(known));
  const same = z.object({
    description: z.string().describe('a note').optional().meta({ example: 'x' }),
    b: z.enum(['y', 'x']),
    a: z
      .int()
      .max(5)
      .meta({ title: 'A', examples: [1] })
      .describe('five at most'),
  });
  assert.equal(form(same), before);
  const { description, ...fewer } = known;
  for (const other of [
    z.object(fewer),
    z.object({ ...fewer, description: z.string() }),
    z.object({ ...known, a: z.int().max(6) }),
    z.object({ ...known, a: z.number().max(5) }),
    z.object({ ...known, a: z.int().max(5).optional() }),
    z.object({ ...known, b: z.enum(['x']) }),
    z.object({ ...known, c: description }),
    z.strictObject(known),
  ])
    assert.notEqual(form(other), before);
});
