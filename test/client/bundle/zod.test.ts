import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { readFrame } from '../../../src/client/connection/frames.js';
import { proofSchema } from '../../../src/client/signing/verify-proof.js';
import { parseAdvertisement } from '../../../src/protocol/advertisement.js';
import type { ErrorCode } from '../../../src/protocol/errors.js';
import { parseFilter } from '../../../src/protocol/filters/filter.js';
import { parseListQuery } from '../../../src/protocol/filters/list-query.js';
import { mutate, mutation } from '../../fuzz/mutations.js';
import { scratchFolder } from '../../process/hub-process.js';
import { content, filter, payloadOf } from '../../support/data/arbitraries.js';
import fc from '../../support/properties.js';

interface Rules {
  parseAdvertisement: (value: unknown) => unknown;
  parseFilter: (value: unknown) => unknown;
  parseListQuery: (search: string) => unknown;
  readFrame: (data: string) => unknown;
  proofSchema: { safeParse: (value: unknown) => { success: boolean; data?: unknown } };
}

const SOURCES = fileURLToPath(new URL('../../../src/', import.meta.url));
const WITH_ZOD: Rules = { parseAdvertisement, parseFilter, parseListQuery, readFrame, proofSchema };

/** The same rules as clients have them: bundled with the stand-in for zod. */
async function bundledRules(folder: string): Promise<Rules> {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        export { parseAdvertisement } from './protocol/advertisement.js';
        export { parseFilter } from './protocol/filters/filter.js';
        export { parseListQuery } from './protocol/filters/list-query.js';
        export { readFrame } from './client/connection/frames.js';
        export { proofSchema } from './client/signing/verify-proof.js';`,
      resolveDir: SOURCES,
    },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    alias: { zod: join(SOURCES, 'client', 'bundle', 'zod.js') },
    write: false,
  });
  const file = join(folder, 'rules.mjs');
  writeFileSync(file, outputFiles[0]!.contents);
  return (await import(pathToFileURL(file).href)) as Rules;
}

/** What came of reading something: the value, or the refusal with its code and text. */
function outcome(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch (error) {
    // An error of the bundle is of a class of its own.
    assert.ok(error instanceof Error && error.name !== 'TypeError', String(error));
    return { code: (error as Error & { code?: ErrorCode }).code, message: error.message };
  }
}

/** Text for whatever a mutation made; where it has none, it is no JSON. */
function jsonOf(value: unknown): string {
  const text: unknown = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'bigint' ? Number(part) : part,
  );
  return typeof text === 'string' ? text : '';
}

const mutations = fc.array(mutation, { maxLength: 4 });
const advertisement = content.map((one) => JSON.parse(payloadOf(one)) as Record<string, unknown>);

/** By names and with values of which few are right, and some wrong in several ways at once. */
const asked = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom('gpu', 'tpu', 'a', 'Bad', '', 'x'.repeat(40)),
      fc.constantFrom<unknown>(
        1,
        2,
        0.5,
        'x',
        '',
        true,
        null,
        [1, 'x'],
        [],
        [null, '', 1],
        { min: 1 },
        {
          min: 2,
          max: 1,
        },
        { min: 1, more: 2 },
        { more: 2 },
        { max: 'x' },
        {},
      ),
    ),
    { maxLength: 3, selector: ([name]) => name },
  )
  .map((members) => Object.fromEntries(members));

const ID = 'ab'.repeat(32);
const TIME = '2026-01-01T00:00:00.000Z';
const published = advertisement.map((one) => ({
  platform: null,
  pricing: null,
  name: null,
  payments_network: null,
  ...one,
  provider_name: null,
  provider_id: ID,
  created_at: TIME,
  updated_at: TIME,
  status: 'live',
  expires_at: TIME,
  verified: true,
}));
const frame = published.chain((one) =>
  fc.constantFrom<object>(
    {
      type: 'welcome',
      version: 1,
      epoch: 'e',
      nonce: ID,
      heartbeat_seconds: 30,
      expiry_seconds: 300,
      max_frame_bytes: 65_536,
      server_time: TIME,
    },
    { type: 'authenticated', id: 1, provider_id: ID, advertisement: one },
    { type: 'advertised', id: 'x', advertisement: one },
    { type: 'subscribed', id: 1, stream: 's', cursor: 'e:1', resumed: true },
    { type: 'snapshot', stream: 's', cursor: null, advertisements: [one, one], last: false },
    {
      type: 'events',
      stream: 's',
      cursor: 'e:2',
      events: [
        { op: 'added', advertisement: one },
        { op: 'removed', provider_id: ID, reason: 'expired' },
      ],
    },
    { type: 'error', code: 'ADV_001', message: 'no', timestamp: TIME },
  ),
);
const proof = fc.constant({
  provider_id: ID,
  scheme: 'ed25519',
  public_key: ID,
  t: 1,
  payload: '{}',
  signature: ID.repeat(2),
});

const list = fc.record({
  cpu: fc.constantFrom(4, '4', '0', 'x'),
  sort: fc.constantFrom('price', 'updated', 'colour'),
  limit: fc.constantFrom(10, 0, 1.5),
  after: fc.tuple(
    fc.constantFrom('price', 'updated'),
    fc.constantFrom(1.5, null),
    fc.constantFrom('p', 'x'.repeat(200)),
  ),
});

/** A query out of whatever a mutation made. */
function queryOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return 'cpu=1';
  const written = Object.entries(value).map(([name, one]) => [
    name,
    // Not `String`, which an object with a member `toString` breaks.
    name === 'after'
      ? Buffer.from(jsonOf(one)).toString('base64url')
      : typeof one === 'string'
        ? one
        : jsonOf(one),
  ]);
  return written.map(([name, one]) => `${encodeURIComponent(name!)}=${encodeURIComponent(one!)}`).join('&');
}

test('clients apply the rules as the hub does, to the letter, although they load no zod', async (t) => {
  const bundled = await bundledRules(scratchFolder(t));
  const agree = (
    what: string,
    from: fc.Arbitrary<unknown>,
    read: (rules: Rules, value: unknown) => unknown,
  ): void => {
    let taken = 0;
    fc.assert(
      fc.property(from, mutations, (value, changes) => {
        const changed = mutate(value, changes);
        const expected = outcome(() => read(WITH_ZOD, changed));
        assert.deepEqual(
          outcome(() => read(bundled, changed)),
          expected,
        );
        taken += Object.hasOwn(expected as object, 'value') ? 1 : 0;
      }),
      { numRuns: 600 },
    );
    assert.ok(taken > 20 && taken < 580, `${what}: ${String(taken)} of 600 were taken`);
  };
  agree('advertisements', advertisement, (rules, value) => rules.parseAdvertisement(value));
  agree('filters', filter, (rules, value) => rules.parseFilter(value));
  agree('attributes', asked, (rules, attributes) => rules.parseFilter({ attributes }));
  agree('resources', asked, (rules, min) => rules.parseFilter({ min }));
  agree('frames', frame, (rules, value) => rules.readFrame(jsonOf(value)));
  agree('list queries', list, (rules, value) => rules.parseListQuery(queryOf(value)));
  agree('proofs', proof, (rules, value) => {
    const { success, data } = rules.proofSchema.safeParse(value);
    if (!success) throw new Error('refused');
    return data;
  });
});

test('addresses that only look like some are told apart as by the hub', async (t) => {
  const bundled = await bundledRules(scratchFolder(t));
  const resources = { cpu: 1, memory: 1, storage: 1 };
  const piece = fc.constantFrom(
    ...'0123456789abcdefF:.%[]/ x'.split(''),
    '::',
    'ffff',
    '255',
    '256',
    '01',
    '1.2.3.4',
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 12 }), (pieces) => {
      const value = { ip_address: pieces.join(''), country: 'SE', resources };
      assert.deepEqual(
        outcome(() => bundled.parseAdvertisement(value)),
        outcome(() => parseAdvertisement(value)),
      );
    }),
    { numRuns: 1000 },
  );
});
