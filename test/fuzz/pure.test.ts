import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/properties.js';
import { parseAdvertisement } from '../../src/protocol/advertisement.js';
import { CODECS } from '../../src/protocol/frames/codec.js';
import { parseCursor } from '../../src/protocol/cursor.js';
import { ProtocolError } from '../../src/protocol/errors.js';
import { canonicalFilterKey, parseFilter } from '../../src/protocol/filters/filter.js';
import { parseUpFrame } from '../../src/protocol/frames/frames-up.js';
import { parseListQuery } from '../../src/protocol/filters/list-query.js';
import { readHttpClaim } from '../../src/registry/write/claim.js';
import { filter, payloadOf } from '../support/data/arbitraries.js';
import { TestKey } from '../support/data/keys.js';
import { CODEC_NAMES } from '../support/hubs/test-hub.js';
import { oddContent } from './contents.js';
import { encodeFrame } from './encoding.js';
import { bytesOf, damagedItem, readableItem } from './frames.js';
import { byteMutation, mutate, mutateBytes, mutation, oddText } from './mutations.js';
import { SEED } from './scale.js';
import { Speaker } from './speaker.js';

const RUNS = { seed: SEED, numRuns: 1500 };
const mutations = fc.array(mutation, { maxLength: 4 });
const damage = fc.array(byteMutation, { maxLength: 4 });

/** What a reader makes of something; a refusal has to be one that the protocol names. */
function read<T>(reader: () => T): T | ProtocolError {
  try {
    return reader();
  } catch (error) {
    assert.ok(error instanceof ProtocolError, `threw ${String(error)}`);
    assert.ok(error.message !== '' && error.message.length < 3000);
    return error;
  }
}

/** As everybody receives it: JSON has no -0. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

test('whatever the bytes of a frame are, reading them ends with a frame or a refusal', () => {
  const speaker = new Speaker(new TestKey(), 'pure', 'hub.test');
  fc.assert(
    fc.property(fc.oneof(readableItem, damagedItem), (item) => {
      for (const codec of CODEC_NAMES) {
        const decoded = CODECS[codec].decode(bytesOf(item, speaker, codec).bytes);
        if (!decoded.ok || typeof decoded.value !== 'object' || decoded.value === null) continue;
        const parsed = parseUpFrame(decoded.value);
        if (!parsed.ok) assert.ok(parsed.message !== '' && parsed.message.length < 3000);
        else if (parsed.frame.type === 'subscribe')
          read(() => parseFilter((decoded.value as { filter: unknown }).filter));
      }
    }),
    RUNS,
  );
});

test('a filter that is accepted is canonical: reading it again changes nothing', () => {
  fc.assert(
    fc.property(filter, mutations, (from, changes) => {
      const parsed = read(() => parseFilter(mutate(from, changes)));
      if (parsed instanceof ProtocolError) assert.equal(parsed.code, 'ADV_002');
      else assert.equal(canonicalFilterKey(parseFilter(parsed)), canonicalFilterKey(parsed));
    }),
    RUNS,
  );
});

test('a query string, however damaged, is a list request or ADV_002', () => {
  fc.assert(
    fc.property(
      fc.webQueryParameters(),
      fc.constantFrom('cpu=4', 'country=SE,NO', 'after=WyJpZCJd', 'limit=1'),
      damage,
      (more, known, changes) => {
        const search = mutateBytes(Buffer.from(`${known}&${known}&${more}`), changes).toString('latin1');
        const parsed = read(() => parseListQuery(search));
        if (parsed instanceof ProtocolError) assert.equal(parsed.code, 'ADV_002');
      },
    ),
    RUNS,
  );
});

test('an advertisement that is accepted says the same in both wire forms, and is accepted again', () => {
  fc.assert(
    fc.property(oddContent, mutations, damage, (from, changes, bytes) => {
      const text = mutateBytes(encodeFrame('json', mutate(JSON.parse(payloadOf(from)), changes)), bytes);
      const decoded = CODECS.json.decode(text);
      if (!decoded.ok) return;
      const parsed = read(() => parseAdvertisement(decoded.value));
      if (parsed instanceof ProtocolError) {
        assert.ok(['ADV_001', 'ADV_002'].includes(parsed.code));
        return;
      }
      assert.deepEqual(parseAdvertisement(parsed), parsed);
      for (const codec of Object.values(CODECS)) {
        const again = codec.decode(codec.encode(parsed));
        assert.ok(again.ok);
        assert.deepEqual(asJson(parseAdvertisement(again.value)), asJson(parsed));
      }
    }),
    RUNS,
  );
});

test('headers, cursors and ids of any form are read or refused', () => {
  const key = new TestKey();
  const signature = key.headers('withdraw', key.publicKey, 1, '')['X-Provider-Signature']!;
  fc.assert(
    fc.property(fc.option(oddText, { nil: undefined }), damage, fc.boolean(), (id, changes, unsigned) => {
      const header = mutateBytes(Buffer.from(signature), changes).toString('latin1');
      const claim = read(() => readHttpClaim(id ?? key.publicKey, header, unsigned));
      if (claim instanceof ProtocolError) assert.match(claim.code, /^AUTH_00[13]$/);
      const cursor = parseCursor(
        mutateBytes(Buffer.from('abc1:9007199254740991'), changes).toString('latin1'),
      );
      if (cursor !== null) assert.ok(Number.isSafeInteger(cursor.seq) && cursor.seq >= 0);
    }),
    RUNS,
  );
});
