import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { CLOSE, shouldReconnect } from '../../../src/protocol/frames/close-codes.js';
import { formatCursor, parseCursor } from '../../../src/protocol/cursor.js';
import { ProtocolError } from '../../../src/protocol/errors.js';
import { parseUpFrame, UP_SCHEMAS } from '../../../src/protocol/frames/frames-up.js';
import { providerIdKind, type ProviderIdKind, readProviderId } from '../../../src/protocol/provider-id.js';

const SIGNATURE = 'ab'.repeat(64);
const KEY = 'cd'.repeat(32);

const FRAMES: Record<keyof typeof UP_SCHEMAS, Record<string, unknown>> = {
  authenticate: {
    type: 'authenticate',
    id: 1,
    provider_id: 'a',
    public_key: KEY,
    t: 5,
    signature: SIGNATURE,
  },
  advertise: { type: 'advertise', id: 'x', payload: '{}', t: 5, signature: SIGNATURE },
  withdraw: { type: 'withdraw', id: -3, t: 0, signature: SIGNATURE },
  heartbeat: { type: 'heartbeat' },
  subscribe: { type: 'subscribe', id: 1, filter: { cpu: 1 }, resume: 'e:1' },
  unsubscribe: { type: 'unsubscribe', id: 1, stream: 's1' },
  visibility: { type: 'visibility', id: 1 },
};

function refused(frame: object): { id: unknown; message: string } {
  const result = parseUpFrame(frame);
  assert.ok(!result.ok, `was accepted: ${JSON.stringify(frame)}`);
  // What zod says by itself is for programmers: it tells neither the unit nor what to do.
  assert.doesNotMatch(result.message, /Invalid input|Too (?:big|small)|expected/);
  return result;
}

test('a frame of every type is read as it was sent, and unknown members are ignored', () => {
  for (const frame of Object.values(FRAMES)) {
    assert.deepEqual(parseUpFrame(frame), { ok: true, frame });
    assert.deepEqual(parseUpFrame({ ...frame, future: [1] }), { ok: true, frame });
  }
});

test('every missing or wrong member is refused by its name, with the id of the request', () => {
  for (const [type, frame] of Object.entries(FRAMES)) {
    for (const member of Object.keys(frame).filter((name) => name !== 'type' && name !== 'id')) {
      const { [member]: _dropped, ...without } = frame;
      if (member !== 'public_key' && member !== 'resume') {
        const { id, message } = refused(without);
        assert.equal(id, frame['id']);
        assert.ok(message.startsWith(`${type}: ${member}: `), message);
      }
      // A filter is only looked at later, by the rules of filters.
      if (member === 'filter') continue;
      for (const wrong of [{}, [], true, 1.5, 1e300, 'x'.repeat(129)]) {
        if (member === 'payload' && typeof wrong === 'string') continue;
        const { message } = refused({ ...frame, [member]: wrong });
        assert.ok(message.startsWith(`${type}: ${member}: `), message);
      }
    }
  }
});

test('a frame without a type, or of an unknown one, is refused with a list of the known ones', () => {
  for (const frame of [{}, { type: 5 }, { type: null }, { type: ['advertise'] }, []])
    assert.match(refused(frame).message, /^the frame has no type; known are authenticate, /);
  for (const type of ['', 'Advertise', 'welcome', 'toString', '__proto__', 'constructor', 'x'.repeat(5000)]) {
    const { message } = refused({ type, id: 7 });
    assert.match(message, /^unknown type "/);
    assert.ok(message.length < 250);
  }
  assert.equal(refused({ type: 'nonsense', id: 7 }).id, 7);
  assert.equal(refused({ type: 'nonsense', id: {} }).id, undefined);
});

test('the id of a request is an integer or a short string', () => {
  const { stream } = FRAMES.unsubscribe;
  for (const id of [0, -1, Number.MAX_SAFE_INTEGER, 'a', '0', 'x'.repeat(64), '😀'])
    assert.equal(parseUpFrame({ type: 'unsubscribe', stream, id }).ok, true);
  for (const id of [
    1.5,
    2 ** 53,
    Number.NaN,
    '',
    'x'.repeat(65),
    '\ud800',
    null,
    undefined,
    true,
    [1],
    { a: 1 },
  ]) {
    const result = refused({ type: 'unsubscribe', stream, id });
    assert.match(result.message, /^unsubscribe: id: /);
    assert.equal(result.id, undefined);
  }
});

test('keys, signatures, ids and times have the forms of the contract', () => {
  const { authenticate } = FRAMES;
  for (const key of ['', KEY.toUpperCase(), KEY.slice(1), `${KEY}0`, `${KEY}\n`])
    refused({ ...authenticate, public_key: key });
  for (const signature of ['', SIGNATURE.toUpperCase(), SIGNATURE.slice(1), `${SIGNATURE}\n`])
    refused({ ...authenticate, signature });
  for (const id of ['', '-a', '.a', 'a b', 'a/b', 'ä', 'a'.repeat(129), 'a\n'])
    refused({ ...authenticate, provider_id: id });
  for (const t of [-1, 1.5, 2 ** 53, '5', null]) refused({ ...authenticate, t });
  refused({ ...FRAMES.advertise, payload: '\ud800' });
  refused({ ...FRAMES.subscribe, resume: 'x'.repeat(129) });
});

test('an optional member may be null, which says that it is absent; the others may not', () => {
  for (const [type, frame] of Object.entries(FRAMES)) {
    for (const member of Object.keys(frame)) {
      const { ok } = parseUpFrame({ ...frame, [member]: null });
      // A filter is looked at later, by the rules of filters, which have no null.
      const isOptional = ['public_key', 'resume', 'filter'].includes(member);
      assert.equal(ok, isOptional, `${type}: ${member}`);
    }
  }
});

test('no object makes the reader of frames throw', () => {
  const frame = fc.record(
    {
      type: fc.oneof(fc.constantFrom(...Object.keys(UP_SCHEMAS)), fc.jsonValue()),
      id: fc.jsonValue(),
      filter: fc.jsonValue(),
      payload: fc.jsonValue(),
      t: fc.jsonValue(),
      stream: fc.jsonValue(),
      signature: fc.constantFrom(SIGNATURE, 'x', 5),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(frame, (value) => {
      const result = parseUpFrame(value);
      if (!result.ok) assert.ok(result.message.length > 0);
    }),
    { numRuns: 300 },
  );
});

test('a cursor that was formatted is read back as it was', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-z]{1,32}$/), fc.nat(Number.MAX_SAFE_INTEGER), (epoch, seq) => {
      assert.deepEqual(parseCursor(formatCursor(epoch, seq)), { epoch, seq });
    }),
  );
});

test('a cursor that is anything else is none', () => {
  const wrong = [
    '',
    ':',
    'e:',
    ':1',
    'e',
    'e:1:2',
    'E:1',
    'e:-1',
    'e:+1',
    'e:01',
    'e:1.5',
    'e:1e3',
    ' e:1',
    'e:1\n',
  ];
  for (const text of [...wrong, 'e:9007199254740992', 'e:99999999999999999', `${'e'.repeat(33)}:1`, 'é:1'])
    assert.equal(parseCursor(text), null, text);
});

test('a provider id is a key, an Ethereum address, a name, or none', () => {
  const kinds: [string, ProviderIdKind | null][] = [
    [KEY, 'key'],
    [KEY.toUpperCase(), null],
    [`${KEY.slice(1)}F`, null],
    [KEY.slice(1), 'name'],
    [`0x${'ab'.repeat(20)}`, 'ethereum'],
    [`0x${'AB'.repeat(20)}`, 'ethereum'],
    [`0x${'aB'.repeat(20)}`, null],
    ['0x52908400098527886E0F7030069857D2E4169EE7', 'ethereum'],
    ['0x52908400098527886E0F7030069857D2E4169Ee7', null],
    [`0X${'ab'.repeat(20)}`, null],
    [`0X${'AB'.repeat(20)}`, null],
    [`0x${'ab'.repeat(19)}`, 'name'],
    [`0x${'ab'.repeat(21)}`, 'name'],
    ['a', 'name'],
    ['Provider-1.example:7465_x', 'name'],
    ['a'.repeat(128), 'name'],
    ['a'.repeat(129), null],
    ['', null],
    ['_a', null],
    ['a b', null],
    ['a\n', null],
    ['a/b', null],
    ['ä', null],
  ];
  for (const [id, kind] of kinds) {
    const read = readProviderId(id);
    assert.equal(read?.kind ?? null, kind, id);
    if (read !== null) assert.equal(providerIdKind(read.id), kind, id);
  }
});

test('44xx and an over-long frame tell a client to stay away; all other codes to come back', () => {
  for (const code of [
    CLOSE.malformedFrame,
    CLOSE.authenticationFailed,
    CLOSE.admissionTimeout,
    CLOSE.replaced,
    CLOSE.frameTooBig,
  ])
    assert.equal(shouldReconnect(code), false, String(code));
  for (const code of [
    CLOSE.goingAway,
    CLOSE.internal,
    CLOSE.overloaded,
    CLOSE.heartbeatLost,
    CLOSE.tooSlow,
    CLOSE.messageRate,
    1000,
    1005,
    1006,
  ])
    assert.equal(shouldReconnect(code), true, String(code));
});

test('the body of an error is its code, its message and the time', () => {
  const error = new ProtocolError('ADV_001', 'the disk is full', { unavailable: true, retryAfterSeconds: 5 });
  assert.deepEqual(error.toBody(0), {
    code: 'ADV_001',
    message: 'the disk is full',
    timestamp: '1970-01-01T00:00:00.000Z',
  });
});
