import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ERROR_STATUS, type ErrorCode } from '../../../src/protocol/errors.js';
import { itemPath, LIST, onBothTransports } from '../../support/clients/http.js';
import { type JsonSchema, KEYWORDS, problemsOf } from '../../support/data/json-schema.js';
import { TestKey } from '../../support/data/keys.js';
import { exchange, rawRequest } from '../../support/clients/raw-http.js';
import { ADVERTISEMENT, type Answer } from '../../support/hubs/test-hub.js';

interface Described {
  description?: string;
  content?: Record<string, { schema: JsonSchema; examples?: Record<string, { value: { code: string } }> }>;
  headers?: Record<string, { schema: JsonSchema }>;
}

interface Parameter {
  name: string;
  in: 'query' | 'path' | 'header';
  required?: boolean;
  description?: string;
  schema: JsonSchema;
}

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, Described>;
}

interface OpenApi {
  openapi: string;
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  externalDocs: { url: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonSchema> };
}

const METHODS = ['get', 'post', 'delete', 'put', 'patch', 'head', 'options', 'trace'];

/** What the contract says there is. */
const CONTRACT = [
  `POST ${LIST}`,
  `GET ${LIST}`,
  `GET ${LIST}/{provider_id}`,
  `GET ${LIST}/{provider_id}/proof`,
  `DELETE ${LIST}/{provider_id}`,
  'GET /health',
  'GET /metrics',
  'GET /api/v1/explain',
  'GET /api/v1/events',
  'GET /api/v1/hub/events',
  'GET /api/v1/market',
  'GET /api/v1/openapi.json',
  'GET /api/v1/asyncapi.json',
  'GET /docs',
  'GET /api/v1/ws',
];

onBothTransports('the description of the interface', {}, (hub) => {
  let document: OpenApi;
  before(async () => {
    const { status, body, headers } = await hub().get<OpenApi>('/api/v1/openapi.json');
    assert.equal(status, 200);
    assert.match(headers.get('content-type') ?? '', /^application\/json\b/);
    document = body;
  });

  const operations = (): { method: string; path: string; operation: Operation }[] =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
    );

  const resolve = (ref: string): JsonSchema => {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(ref)?.[1];
    const schema = name === undefined ? undefined : document.components.schemas[name];
    assert.ok(schema !== undefined, `${ref} is there`);
    return schema;
  };

  test('every operation has its group, and every refusal an example of each of its codes', () => {
    const groups = document.tags.map(({ name }) => name);
    assert.equal(document.externalDocs.url, '/docs/protocol.md');
    for (const { operation } of operations()) {
      assert.equal(operation.tags.length, 1, operation.operationId);
      assert.ok(groups.includes(operation.tags[0]!), operation.operationId);
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        const { schema, examples = {} } = content?.['application/json'] ?? {};
        if (schema?.['$ref'] !== '#/components/schemas/Error') continue;
        assert.deepEqual(Object.keys(examples), description?.match(/[A-Z]+_\d{3}/g), description);
        for (const [code, { value }] of Object.entries(examples)) {
          assert.equal(value.code, code);
          assert.ok(code in ERROR_STATUS, code);
          if (status !== '503') assert.equal(String(ERROR_STATUS[code as ErrorCode]), status, code);
        }
      }
    }
  });

  test('it is OpenAPI 3.1 in its form', () => {
    assert.match(document.openapi, /^3\.1\.\d+$/);
    assert.notEqual(document.info.title, '');
    assert.match(document.info.version, /^\d+\.\d+\.\d+$/);
    const ids = new Set<string>();
    for (const { method, path, operation } of operations()) {
      assert.ok(path.startsWith('/'), path);
      assert.ok(METHODS.includes(method), method);
      assert.ok(!ids.has(operation.operationId), operation.operationId);
      ids.add(operation.operationId);
      assert.notEqual(operation.summary, '');
      assert.ok(Object.keys(operation.responses).length > 0);
      for (const [status, response] of Object.entries(operation.responses)) {
        assert.match(status, /^[1-5]\d\d$/);
        assert.ok((response.description ?? '') !== '', `${method} ${path} ${status}`);
      }
    }
  });

  test('parameters are complete, and those of a path are in it', () => {
    for (const { method, path, operation } of operations()) {
      const parameters = operation.parameters ?? [];
      for (const parameter of parameters) {
        assert.ok(['query', 'path', 'header'].includes(parameter.in), parameter.name);
        assert.equal(typeof parameter.schema, 'object');
        if (parameter.in === 'path') assert.equal(parameter.required, true);
        else assert.ok((parameter.description ?? '') !== '', `${method} ${path} ${parameter.name}`);
      }
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      assert.deepEqual(inPath, named, path);
      const unique = new Set(parameters.map((parameter) => `${parameter.in} ${parameter.name}`));
      assert.equal(unique.size, parameters.length);
    }
  });

  test('every reference leads somewhere, and every schema is one that can be understood', () => {
    const used = new Set<string>();
    const visit = (schema: JsonSchema, where: string): void => {
      for (const keyword of Object.keys(schema)) assert.ok(KEYWORDS.has(keyword), `${where}: ${keyword}`);
      if (schema.$ref !== undefined) {
        assert.deepEqual(Object.keys(schema), ['$ref']);
        resolve(schema.$ref);
        used.add(schema.$ref.split('/').at(-1)!);
      }
      if (schema.pattern !== undefined) assert.ok(new RegExp(schema.pattern, 'u'));
      for (const name of schema.required ?? []) assert.ok(schema.properties?.[name], `${where}: ${name}`);
      for (const [name, member] of Object.entries(schema.properties ?? {})) visit(member, `${where}.${name}`);
      for (const option of schema.anyOf ?? []) visit(option, where);
      if (schema.items !== undefined) visit(schema.items, where);
      if (typeof schema.additionalProperties === 'object') visit(schema.additionalProperties, where);
    };
    for (const [name, schema] of Object.entries(document.components.schemas)) visit(schema, name);
    for (const { path, operation } of operations()) {
      for (const parameter of operation.parameters ?? [])
        visit(parameter.schema, `${path} ${parameter.name}`);
      const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((described) =>
        Object.values(described?.content ?? {}),
      );
      for (const { schema } of contents) visit(schema, path);
      for (const response of Object.values(operation.responses)) {
        for (const { schema } of Object.values(response.headers ?? {})) visit(schema, path);
      }
    }
    assert.deepEqual(
      [...used].sort(),
      Object.keys(document.components.schemas).sort(),
      'no schema is left over',
    );
  });

  test('it describes every route of the contract, and no other', () => {
    const described = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    assert.deepEqual(described.sort(), [...CONTRACT].sort());
  });

  test('every route of the hub is described with every method, and the other way round', async () => {
    const { body } = await hub().get<{ message: string }>('/nowhere');
    const listed = [...body.message.matchAll(/\/[a-z0-9/.]+[a-z]/g)]
      .map(([path]) => path)
      .filter((path) => path !== '/nowhere');
    const plain = Object.keys(document.paths).filter((path) => !path.includes('{'));
    assert.deepEqual(listed.sort(), plain.sort());
    for (const [path, item] of Object.entries(document.paths)) {
      const target = path.replace('{provider_id}', 'somebody');
      const { status, headers } = await exchange(hub().hub.port, rawRequest('PATCH', target));
      assert.equal(status, 405, path);
      const allowed = (headers.get('allow') ?? '').toLowerCase().split(', ');
      assert.deepEqual(allowed.sort(), [...Object.keys(item), 'head', 'options'].sort(), path);
    }
  });

  test('every parameter of reads is described, and every described one is known', async () => {
    for (const path of [LIST, '/api/v1/events', '/api/v1/explain', '/api/v1/market']) {
      const all = document.paths[path]!['get']!.parameters!;
      const parameters = all.filter((parameter) => parameter.in === 'query');
      const { body } = await hub().get<{ message: string }>(`${path}?unheard_of=1`);
      const known = body.message.split('known are ')[1]!.split(', ');
      assert.deepEqual(parameters.map(({ name }) => name).sort(), known.sort());
      // Of these, some would be answered without end.
      if (path === '/api/v1/events') continue;
      for (const { name } of parameters) {
        const answer = await hub().get<{ message?: string }>(`${path}?${name}=1`);
        assert.doesNotMatch(answer.body.message ?? '', /unknown parameter/, name);
      }
    }
  });

  test('what is sent and answered is as described, down to each status', async () => {
    const key = new TestKey();
    const everything = {
      ...ADVERTISEMENT,
      ip_address: '::ffff:192.0.2.1',
      resources: { ...ADVERTISEMENT.resources, gpu: 0 },
      platform: 'x86_64',
      pricing: { usd_per_core_month: 0.5, note: 'net' },
      name: '😀'.repeat(64),
      payments_network: 'polygon',
    };
    const check = (answer: Answer<unknown>, method: string, path: string): void => {
      const where = `${method} ${path} ${String(answer.status)}`;
      const described = document.paths[path]?.[method]?.responses[String(answer.status)];
      assert.ok(described !== undefined, `${where} is described`);
      const type = (answer.headers.get('content-type') ?? '').split(';')[0]!;
      const schema = described.content?.[type]?.schema;
      assert.ok(schema !== undefined, `${where} has ${type}`);
      assert.deepEqual(problemsOf(answer.body, schema, resolve), [], where);
    };
    for (const advertisement of [ADVERTISEMENT, everything]) {
      const schema = document.paths[LIST]!['post']!.requestBody!.content['application/json']!.schema;
      assert.deepEqual(problemsOf(advertisement, schema, resolve), []);
      check(await hub().post(key, 'described', advertisement), 'post', LIST);
      check(await hub().get(LIST), 'get', LIST);
      for (const path of ['/api/v1/explain', '/api/v1/market']) check(await hub().get(path), 'get', path);
      check(
        await hub().get('/api/v1/explain?provider_id=described&max_usd_per_month=1'),
        'get',
        '/api/v1/explain',
      );
    }
    const item = `${LIST}/{provider_id}`;
    check(await hub().get(itemPath('described')), 'get', item);
    check(await hub().get(`${itemPath('described')}/proof`), 'get', `${item}/proof`);
    check(await hub().get(`${itemPath('nobody')}/proof`), 'get', `${item}/proof`);
    check(await hub().get(itemPath('nobody')), 'get', item);
    check(await hub().get(`${LIST}/%zz`), 'get', item);
    check(await hub().get(`${LIST}/%zz/proof`), 'get', `${item}/proof`);
    check(await hub().request('DELETE', `${LIST}/%zz`), 'delete', item);
    check(await hub().request('DELETE', itemPath('described')), 'delete', item);
    check(await hub().delete(new TestKey(), 'described'), 'delete', item);
    check(await hub().delete(key, 'described'), 'delete', item);
    check(await hub().delete(key, 'described'), 'delete', item);
    check(await hub().get(`${LIST}?cpu=x`), 'get', LIST);
    check(await hub().get('/api/v1/explain?cpu=64&country=NO'), 'get', '/api/v1/explain');
    check(await hub().get('/api/v1/explain?cpu=x'), 'get', '/api/v1/explain');
    check(await hub().get('/api/v1/explain?provider_id=nobody'), 'get', '/api/v1/explain');
    check(await hub().get('/api/v1/market?by=platform'), 'get', '/api/v1/market');
    check(await hub().get('/api/v1/market?by=colour'), 'get', '/api/v1/market');
    check(await hub().post(key, 'described', {}), 'post', LIST);
    check(await hub().post(key, 'described', '{'), 'post', LIST);
    check(await hub().post(key, 'described', ' '.repeat(20_000)), 'post', LIST);
    check(await hub().post(new TestKey(), 'described'), 'post', LIST);
    check(await hub().request('POST', LIST), 'post', LIST);
    check(await hub().request('POST', LIST, { body: 'x' }), 'post', LIST);
    check(await hub().get('/health'), 'get', '/health');
    check(await hub().get('/api/v1/openapi.json'), 'get', '/api/v1/openapi.json');
    check(await hub().get('/api/v1/asyncapi.json'), 'get', '/api/v1/asyncapi.json');
    check(await hub().get('/api/v1/ws'), 'get', '/api/v1/ws');
  });

  test('what is refused for its form is not as described either', () => {
    const schema = document.components.schemas['Advertisement']!;
    const wrong = (members: object): string[] =>
      problemsOf({ ...ADVERTISEMENT, ...members }, schema, resolve);
    for (const members of [
      { ip_address: 7 },
      { country: 'SWE' },
      { resources: { cpu: 0, memory: 1, storage: 1 } },
      { resources: { cpu: 4097, memory: 1, storage: 1 } },
      { resources: { cpu: 1.5, memory: 1, storage: 1 } },
      { resources: { cpu: 1, memory: 1 } },
      { name: '' },
      { name: 'x'.repeat(65) },
      { platform: 'x'.repeat(33) },
      { pricing: { usd_per_core_month: -1 } },
      { pricing: [] },
    ]) {
      assert.notDeepEqual(wrong(members), [], JSON.stringify(members));
    }
    assert.notDeepEqual(problemsOf({}, schema, resolve), []);
  });
});
