import fc from '../support/properties.js';

/** A change to a tree of plain values. `at` picks one of its nodes, whatever their number. */
export type Mutation =
  | { kind: 'set'; at: number; value: unknown }
  | { kind: 'remove'; at: number }
  | { kind: 'rename'; at: number; name: string }
  | { kind: 'add'; at: number; name: string; value: unknown }
  | { kind: 'copy'; at: number; from: number };

/** A change to encoded bytes. `at` picks a position, whatever their length. */
export type ByteMutation =
  | { kind: 'flip'; at: number; bit: number }
  | { kind: 'cut'; at: number; length: number }
  | { kind: 'put'; at: number; bytes: Uint8Array }
  | { kind: 'end'; at: number }
  | { kind: 'repeat'; at: number; length: number; times: number };

const LONG = 'x'.repeat(3000);
const nested = (depth: number): unknown =>
  depth === 0 ? 0 : depth % 2 === 0 ? [nested(depth - 1)] : { x: nested(depth - 1) };

/** Values where programs tend to have their edges. */
export const ODD_VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1, 1.5, 16, 255, 256, 4096, 4097, 65_535, 65_536, 2 ** 31, 2 ** 32],
  ...[
    2 ** 53 - 1,
    2 ** 53,
    -(2 ** 53),
    2n ** 63n,
    2n ** 64n - 1n,
    1e21,
    1e300,
    5e-324,
    Infinity,
    -Infinity,
    NaN,
  ],
  ...[
    '',
    ' ',
    'x',
    '0',
    '1',
    'null',
    '\0',
    '\r\n',
    '\ud800',
    'a\udfff',
    '😀',
    'é'.repeat(33),
    'x'.repeat(64),
  ],
  ...[
    'x'.repeat(65),
    'x'.repeat(129),
    LONG,
    'ß',
    'SE',
    'se',
    'XX',
    '__proto__',
    'constructor',
    'ab'.repeat(32),
  ],
  ...[
    'ab'.repeat(64),
    '00'.repeat(32),
    '127.0.0.1',
    '::1',
    '::ffff:1.2.3.4',
    '1e400',
    'e:1',
    'e:9007199254740993',
  ],
  ...[[], {}, [[]], [null], { x: [] }, ['SE', 'SE'], nested(14), nested(18), new Array<number>(300).fill(1)],
  ...[new Array<string>(257).fill('SE'), new Array<number>(4100).fill(0), Uint8Array.of(1, 2), new Date(0)],
];

const NAMES = [
  ...[
    'type',
    'id',
    'filter',
    'payload',
    't',
    'signature',
    'stream',
    'resume',
    'provider_id',
    'public_key',
    'cpu',
  ],
  ...[
    'memory',
    'storage',
    'country',
    'platform',
    'pricing',
    'resources',
    'name',
    'status',
    'ip_address',
    'gpu',
  ],
  ...[
    'usd_per_core_month',
    'max_usd_per_month',
    '__proto__',
    'constructor',
    'toString',
    'toJSON',
    '',
    'x'.repeat(65),
    '\ud800',
  ],
];

const index = fc.nat(0xffff);

/** Texts out of characters that mean something somewhere. */
export const oddText = fc.string({
  unit: fc.constantFrom(
    ...Array.from('aZ09 .,:;-_/\\%&=?#"\'<>{}[]()\0\t\n\r\u007f\u0085é日😀'),
    '\u2028',
    '\ufeff',
    '\ud800',
    '\udfff',
  ),
  maxLength: 20,
});
const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: oddText });

/** Odd values, and now and then whatever fits into JSON. */
export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...ODD_VALUES) },
  { weight: 1, arbitrary: fc.integer() },
  { weight: 1, arbitrary: oddText },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
);

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), at: index, value: oddValue }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rename' as const), at: index, name }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('add' as const), at: index, name, value: oddValue }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('copy' as const), at: index, from: index }) },
);

/** Pieces of both wire forms and of HTTP that change what the bytes around them mean. */
const PIECES = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '\\',
    '\\u0000',
    '\\ud800',
    'null',
    '1e999',
    '-',
    '{"id":1,',
    '"type":"heartbeat",',
  ],
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\0',
    '%',
    '%00',
    '%2F',
    '%c0%af',
    '?',
    '&',
    ',',
    ';',
    'HTTP/1.1',
    '\ufeff',
    'é',
  ],
].map((text) => Buffer.from(text));
const LEADS = [
  0x00, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x91, 0x9f, 0xa0, 0xa1, 0xbf, 0xc0, 0xc1, 0xc4, 0xc6, 0xc7, 0xc9,
];
const MORE_LEADS = [
  0xca, 0xcb, 0xcf, 0xd3, 0xd4, 0xd6, 0xd7, 0xd8, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff,
];
const bytes = fc.oneof(
  fc.constantFrom(...PIECES),
  fc
    .array(fc.constantFrom(...LEADS, ...MORE_LEADS), { minLength: 1, maxLength: 5 })
    .map((list) => Uint8Array.from(list)),
  fc.uint8Array({ minLength: 1, maxLength: 8 }),
);

export const byteMutation: fc.Arbitrary<ByteMutation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flip' as const), at: index, bit: fc.nat(7) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('cut' as const),
      at: index,
      length: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), at: index, bytes }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), at: index }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('repeat' as const),
      at: index,
      length: fc.integer({ min: 1, max: 60 }),
      times: fc.constantFrom(1, 2, 30, 1200),
    }),
  },
);

/** Where a value sits in a tree; the root has no holder. */
interface Place {
  holder: Record<string, unknown>;
  key: string;
}

/** Objects that have parts; bytes and dates are taken as one. */
function isTree(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !(value instanceof Date)
  );
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isTree(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) put(copy, key, copyOf(value[key]));
  return copy;
}

function placesIn(root: Record<string, unknown>): Place[] {
  const places: Place[] = [];
  const waiting: unknown[] = [root];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (!isTree(value)) continue;
    const holder = value;
    // A long list of the same is one place among others, not most of them.
    for (const key of Object.keys(holder).slice(0, 20)) {
      places.push({ holder, key });
      waiting.push(holder[key]);
    }
  }
  return places;
}

function put(holder: Record<string, unknown>, key: string, value: unknown): void {
  // On no wire does an array have anything but elements.
  if (Array.isArray(holder) && !/^\d+$/.test(key)) holder.push(value);
  // A plain assignment would change the prototype instead.
  else if (key !== '__proto__') holder[key] = value;
  else Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

/** A changed copy of a value; the root itself may be replaced, too. */
export function mutate(value: unknown, mutations: readonly Mutation[]): unknown {
  const root: Record<string, unknown> = { root: copyOf(value) };
  for (const one of mutations) {
    const places = placesIn(root);
    if (places.length === 0) break;
    const { holder, key } = places[one.at % places.length]!;
    switch (one.kind) {
      case 'set':
        put(holder, key, copyOf(one.value));
        break;
      case 'remove':
        Reflect.deleteProperty(holder, key);
        break;
      case 'rename': {
        const member = holder[key];
        Reflect.deleteProperty(holder, key);
        put(holder, one.name, member);
        break;
      }
      case 'add': {
        const inside = holder[key];
        const target = isTree(inside) && !Array.isArray(inside) ? inside : holder;
        put(target, one.name, copyOf(one.value));
        break;
      }
      case 'copy': {
        const from = places[one.from % places.length]!;
        put(holder, key, copyOf(from.holder[from.key]));
      }
    }
  }
  return root['root'];
}

/** Changed bytes; what is given stays as it is. */
export function mutateBytes(given: Uint8Array, mutations: readonly ByteMutation[]): Buffer {
  let now = Buffer.from(given);
  for (const one of mutations) {
    const at = one.at % (now.length + 1);
    const [before, after] = [now.subarray(0, at), now.subarray(at)];
    switch (one.kind) {
      case 'flip':
        if (at < now.length) now[at]! ^= 1 << one.bit;
        break;
      case 'cut':
        now = Buffer.concat([before, after.subarray(one.length)]);
        break;
      case 'put':
        now = Buffer.concat([before, one.bytes, after]);
        break;
      case 'end':
        now = before;
        break;
      case 'repeat': {
        const part = after.subarray(0, one.length);
        now = Buffer.concat([before, ...new Array<Buffer>(one.times).fill(part), after]);
      }
    }
  }
  return now;
}

/** The first half of one and the second half of another. */
export function splice(one: Uint8Array, other: Uint8Array, at: number): Buffer {
  return Buffer.concat([one.subarray(0, at % (one.length + 1)), other.subarray(at % (other.length + 1))]);
}
