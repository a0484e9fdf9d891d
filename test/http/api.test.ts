import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import fc from '../support/properties.js';
import { HttpApi } from '../../src/http/api.js';
import { Metrics } from '../../src/http/metrics.js';
import type { HttpRequest, HttpResponse } from '../../src/protocol/http-message.js';
import type { Work } from '../../src/lib/turns/work-queue.js';
import type { ListAnswer } from '../../src/registry/registry.js';
import { NO_READS } from '../support/hubs/gateway.js';
import { Registry } from '../../src/registry/registry.js';
import {
  Verifier,
  VerifierUnavailableError,
  type VerifySignature,
} from '../../src/registry/write/verifier/verifier.js';
import { WritePath } from '../../src/registry/write/write-path.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryLog } from '../support/worlds/memory-log.js';
import { ISO_TIME, itemPath, LIST } from '../support/clients/http.js';
import { TestKey } from '../support/data/keys.js';
import { ADVERTISEMENT } from '../support/hubs/test-hub.js';

/** A registry of which lists can be broken. */
class FragileRegistry extends Registry {
  broken = false;

  override *listInSteps(...given: Parameters<Registry['listInSteps']>): Work<ListAnswer> {
    if (this.broken) throw new Error('secret detail of the machine');
    return yield* super.listInSteps(...given);
  }
}

/** The interface without any socket, on a disk that fails when it is told to. */
class Bench {
  readonly clock = new FakeClock(1_740_063_600_000);
  readonly persistence = new MemoryLog();
  readonly registry = new FragileRegistry(
    { expiryMs: 300_000, restartGraceMs: 60_000, replayEvents: 100, cleanupMs: 60_000 },
    this.clock,
  );
  readonly errors: unknown[] = [];
  verify: VerifySignature = new Verifier().verify;
  problem: string | null = null;
  readonly api: HttpApi;
  #t = this.clock.wall();

  constructor() {
    this.registry.keepIn(this.persistence);
    const none = (): number => 0;
    this.api = new HttpApi({
      registry: this.registry,
      writePath: new WritePath(this.registry, this.persistence, (...parameters) =>
        this.verify(...parameters),
      ),
      acceptUnsigned: false,
      stopping: () => false,
      originOf: () => 'somewhere',
      addressOf: () => '203.0.113.7',
      problem: () => this.problem,
      reads: NO_READS,
      readVitals: null,
      metrics: new Metrics({
        connections: none,
        refusedConnections: none,
        readers: none,
        sessions: none,
        subscriptions: none,
        streams: none,
        live: none,
        suspect: none,
        gone: () => ({}),
        queuedBytes: none,
        mirrorLagSeconds: none,
        mirrorPending: none,
        pendingVerifications: none,
        arenaBytes: none,
        facts: none,
        unnumberedAdvertisements: none,
        pendingReads: none,
      }),
      documentation: new Map(),
      onError: (error) => this.errors.push(error),
    });
  }

  send(request: Partial<HttpRequest>): Promise<HttpResponse> {
    const blank = { method: 'GET', path: '/', search: '', headers: new Map(), body: new Uint8Array() };
    return Promise.resolve(
      this.api.handle({ ...blank, peerAddress: '192.0.2.1', isGone: false, ...request }),
    );
  }

  post(key: TestKey, providerId: string): Promise<HttpResponse> {
    const body = Buffer.from(JSON.stringify(ADVERTISEMENT));
    this.#t += 1;
    return this.send({
      method: 'POST',
      path: LIST,
      headers: lowerCase(key.headers('advertise', providerId, this.#t, body)),
      body,
    });
  }

  delete(key: TestKey, providerId: string): Promise<HttpResponse> {
    this.#t += 1;
    return this.send({
      method: 'DELETE',
      path: itemPath(providerId),
      headers: lowerCase(key.headers('withdraw', providerId, this.#t, '')),
    });
  }
}

function lowerCase(headers: Record<string, string>): Map<string, string> {
  return new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function bodyOf(response: HttpResponse): Record<string, unknown> {
  return JSON.parse(Buffer.from(response.body).toString('utf8')) as Record<string, unknown>;
}

function assertRefused(response: HttpResponse, status: number, code: string): string {
  const body = bodyOf(response);
  assert.deepEqual({ status: response.status, code: body['code'] }, { status, code });
  assert.deepEqual(Object.keys(body), ['code', 'message', 'timestamp']);
  assert.match(body['timestamp'] as string, ISO_TIME);
  assert.match(response.headers['Content-Type'] ?? '', /^application\/json/);
  return body['message'] as string;
}

describe('a hub that cannot store anything', () => {
  let bench: Bench;
  const key = new TestKey();
  beforeEach(() => {
    bench = new Bench();
  });

  test('refuses an advertisement for now, says when to come back, and shows none of it', async () => {
    bench.persistence.hold();
    const answer = bench.post(key, 'provider');
    await waiting(bench.persistence);
    await bench.persistence.fail();
    const response = await answer;
    const message = assertRefused(response, 503, 'ADV_001');
    assert.match(message, /cannot store/);
    assert.doesNotMatch(message, /the disk is full/, 'what is wrong with it is for the operator');
    assert.match(response.headers['Retry-After'] ?? '', /^\d+$/);
    assert.equal((await bench.send({ path: itemPath('provider') })).status, 404);
    assert.deepEqual(bodyOf(await bench.send({ path: LIST })), []);
  });

  test('binds no name and uses no time up by what it could not store', async () => {
    bench.persistence.hold();
    const answer = bench.post(key, 'provider');
    await waiting(bench.persistence);
    await bench.persistence.fail();
    assert.equal((await answer).status, 503);
    await bench.persistence.release();
    assert.equal((await bench.post(new TestKey(), 'provider')).status, 200);
  });

  test('keeps an advertisement whose withdrawal it could not store', async () => {
    assert.equal((await bench.post(key, 'provider')).status, 200);
    bench.persistence.hold();
    const answer = bench.delete(key, 'provider');
    await waiting(bench.persistence);
    await bench.persistence.fail();
    assertRefused(await answer, 503, 'ADV_001');
    assert.equal((await bench.send({ path: itemPath('provider') })).status, 200);
    await bench.persistence.release();
    assert.deepEqual(bodyOf(await bench.delete(key, 'provider')), { status: 'success' });
  });

  test('answers reads all the same', async () => {
    await bench.post(key, 'provider');
    bench.persistence.hold();
    for (const path of [LIST, itemPath('provider'), `${itemPath('provider')}/proof`]) {
      assert.equal((await bench.send({ path })).status, 200);
    }
  });

  test('is degraded, and says why', async () => {
    assert.deepEqual(bodyOf(await bench.send({ path: '/health' })), { status: 'healthy' });
    bench.problem = 'the disk is full';
    const response = await bench.send({ path: '/health' });
    assert.equal(response.status, 503);
    assert.deepEqual(bodyOf(response), { status: 'degraded', reason: 'the disk is full' });
    bench.problem = null;
    assert.equal((await bench.send({ path: '/health' })).status, 200);
  });
});

/** Resolves once somebody waits for the disk. */
async function waiting(persistence: MemoryLog): Promise<void> {
  while (persistence.waiting === 0) await new Promise(setImmediate);
}

describe('an answer to a write', () => {
  test('is not given before the write is durable, and nothing is to be seen until then', async () => {
    const bench = new Bench();
    const key = new TestKey();
    let answered = false;
    bench.persistence.hold();
    const answer = bench.post(key, 'provider').finally(() => (answered = true));
    await waiting(bench.persistence);
    assert.equal((await bench.send({ path: itemPath('provider') })).status, 404);
    assert.equal(answered, false);
    await bench.persistence.succeed();
    assert.equal((await answer).status, 200);
    assert.equal((await bench.send({ path: itemPath('provider') })).status, 200);

    answered = false;
    const removal = bench.delete(key, 'provider').finally(() => (answered = true));
    await waiting(bench.persistence);
    assert.equal((await bench.send({ path: itemPath('provider') })).status, 200);
    assert.equal(answered, false);
    await bench.persistence.succeed();
    assert.equal((await removal).status, 200);
    assert.equal((await bench.send({ path: itemPath('provider') })).status, 404);
  });
});

describe('failures that nobody has foreseen', () => {
  test('a list that fails is an ADV_003 that tells the operator more than the client', async () => {
    const bench = new Bench();
    bench.registry.broken = true;
    const message = assertRefused(await bench.send({ path: LIST }), 500, 'ADV_003');
    assert.doesNotMatch(message, /secret/);
    assert.equal(bench.errors.length, 1);
    bench.registry.broken = false;
    assert.equal((await bench.send({ path: LIST })).status, 200);
  });

  test('a write that fails is an ADV_001 with the same discretion', async () => {
    const bench = new Bench();
    bench.persistence.hold();
    const answer = bench.post(new TestKey(), 'provider');
    await waiting(bench.persistence);
    await bench.persistence.fail(new TypeError('secret detail of the program'));
    assert.doesNotMatch(assertRefused(await answer, 500, 'ADV_001'), /secret/);
    assert.equal(bench.errors.length, 1);
    await bench.persistence.release();
    assert.equal((await bench.post(new TestKey(), 'provider')).status, 200);
  });

  test('more signatures than can be verified are refused for now', async () => {
    const bench = new Bench();
    bench.verify = () => Promise.reject(new VerifierUnavailableError());
    const response = await bench.post(new TestKey(), 'provider');
    assertRefused(response, 503, 'ADV_001');
    assert.match(response.headers['Retry-After'] ?? '', /^\d+$/);
    assert.deepEqual(bench.errors, []);
  });
});

describe('requests of every kind', () => {
  test('each gets an answer, and each refusal is one of the contract', async () => {
    const bench = new Bench();
    const word = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('..', '%', '%00', '%2f', 'é'),
    );
    const path = fc.oneof(
      fc.constantFrom(LIST, '/health', '/metrics', '/api/v1/openapi.json', '/api/v1/ws', '/', ''),
      fc.array(word, { maxLength: 4 }).map((words) => `/${words.join('/')}`),
      word.map((id) => `${LIST}/${id}`),
      word.map((id) => `${LIST}/${id}/proof`),
    );
    const request = fc.record({
      method: fc.oneof(fc.constantFrom('GET', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PUT'), fc.string()),
      path,
      search: fc.oneof(
        fc.constantFrom('', 'cpu=1', 'cpu', '&', '%', 'after=x'),
        fc.string({ unit: 'binary' }),
      ),
      headers: fc
        .dictionary(fc.constantFrom('x-provider-id', 'x-provider-signature', 'content-type'), fc.string())
        .map((headers) => new Map(Object.entries(headers))),
      body: fc.uint8Array({ maxLength: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(request, async (asked) => {
        const response = await bench.send(asked);
        assert.ok(Number.isInteger(response.status));
        if (response.status < 400) return;
        const { code } = bodyOf(response);
        assert.match(String(code), /^(?:AUTH_00[134]|ADV_00[24]|HTTP_4(?:00|04|05|15))$/);
        assert.deepEqual(bench.errors, []);
      }),
      { numRuns: 120 },
    );
  });

  test('a method that every object has is none of the interface', async () => {
    const bench = new Bench();
    for (const method of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'get', '']) {
      assertRefused(await bench.send({ method, path: LIST }), 405, 'HTTP_405');
    }
  });
});
