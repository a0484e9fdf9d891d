import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { buildAsyncApi } from '../../../src/http/descriptions/asyncapi.js';
import { DOWN_SCHEMAS } from '../../../src/protocol/frames/frames-down-schemas.js';
import { UP_SCHEMAS } from '../../../src/protocol/frames/frames-up.js';
import { publishedAs } from '../../client/support/fake-hub.js';

interface AsyncApi {
  operations: Record<string, { messages: { $ref: string }[]; reply?: { messages: { $ref: string }[] } }>;
  components: { messages: Record<string, { payload: object }> };
}

// As it travels: what JSON leaves out is not there.
const document = JSON.parse(JSON.stringify(buildAsyncApi())) as AsyncApi;

/** What stands where a reference points; undefined where nothing does. */
function at(pointer: string): unknown {
  const path = pointer.slice(2).split('/');
  return path.reduce<unknown>(
    (value, part) => (value as Record<string, unknown> | undefined)?.[part],
    document,
  );
}

test("it is AsyncAPI 3.0, as the project's own schema says", () => {
  const require = createRequire(import.meta.url);
  const file = require.resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json');
  const schema = JSON.parse(readFileSync(file, 'utf8')) as object;
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.compile(schema);
  assert.ok(validate(document), JSON.stringify(validate.errors, null, 1));
  assert.equal(validate({ ...document, asyncapi: '2.6.0' }), false, 'the schema refuses what it should');
  assert.equal(validate({ ...document, operations: { x: { action: 'shout' } } }), false);
});

const PARSER = join('build', 'asyncapi-parser', 'node_modules', '@asyncapi', 'parser');

/** What this test uses of the AsyncAPI project's parser, which is not there to be imported everywhere. */
interface Diagnostic {
  code: string | number;
  message: string;
  path: (string | number)[];
  /** 0 is an error, 1 a warning, 2 and 3 are advice. */
  severity: number;
}
interface ParserPackage {
  Parser: new () => { validate(document: string): Promise<Diagnostic[]> };
}

test(
  "the AsyncAPI project's own parser has nothing against it",
  {
    skip: existsSync(PARSER) ? false : 'no AsyncAPI parser here: scripts/fetch-asyncapi-parser.sh fetches it',
  },
  async () => {
    const { Parser } = createRequire(import.meta.url)(resolve(PARSER)) as ParserPackage;
    const problems = async (said: object): Promise<string[]> =>
      (await new Parser().validate(JSON.stringify(said)))
        .filter(({ severity }) => severity <= 1)
        .map(({ code, message, path }) => `${String(code)} at ${path.join('.')}: ${message}`);
    assert.deepEqual(await problems(document), []);
    const [operation] = Object.keys(document.operations);
    const broken = structuredClone(document);
    broken.operations[operation!]!.messages = [{ $ref: '#/components/messages/nowhere' }];
    assert.notDeepEqual(await problems(broken), [], 'the parser finds what is wrong');
  },
);

test('every reference leads somewhere, and every frame of both sides is used', () => {
  const used = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { $ref } = value as { $ref?: unknown };
    if (typeof $ref === 'string') assert.notEqual(at($ref), undefined, $ref);
    Object.values(value).forEach(visit);
  };
  visit(document);
  for (const { messages, reply } of Object.values(document.operations)) {
    for (const { $ref } of [...messages, ...(reply?.messages ?? [])]) used.add($ref.split('/').at(-1)!);
  }
  const frames = [
    ...Object.keys(UP_SCHEMAS).map((type) => `client.${type}`),
    ...Object.keys(DOWN_SCHEMAS).map((type) => `hub.${type}`),
    'vitals.history',
    'vitals.point',
  ];
  assert.deepEqual([...used].sort(), frames.sort());
  assert.deepEqual(Object.keys(document.components.messages).sort(), frames);
});

test('its schemas take what is sent, and nothing else', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  // A schema that is added is compiled once.
  for (const [name, { payload }] of Object.entries(document.components.messages))
    ajv.addSchema(payload, name);
  const takes = (name: string, frame: object): boolean => ajv.validate(name, frame);
  for (const name of Object.keys(document.components.messages)) {
    assert.equal(takes(name, { type: 'shout' }), false, name);
  }
  const subscribe = { type: 'subscribe', id: 1, filter: { cpu: 4, country: ['SE'] } };
  assert.ok(takes('client.subscribe', subscribe));
  assert.ok(takes('client.subscribe', { ...subscribe, sort: 'price', limit: 3, resume: null }));
  assert.equal(takes('client.subscribe', { ...subscribe, filter: { cpu: 'many' } }), false);
  const events = {
    type: 'events',
    stream: 's1',
    cursor: '4385cfa6d8bc:7',
    events: [
      { op: 'added', advertisement: publishedAs('a') },
      { op: 'removed', provider_id: 'b', reason: 'outranked' },
    ],
  };
  assert.ok(takes('hub.events', events));
  assert.equal(takes('hub.events', { ...events, cursor: null }), false);
  assert.equal(takes('hub.events', { ...events, events: [{ op: 'moved' }] }), false);
});
