import assert from 'node:assert/strict';
import { test } from 'node:test';
import stringWidth from 'string-width';
import { columnsOf, formatAge, formatPrice, usualColumns } from '../../../src/cli/tables/columns.js';
import { toCsv } from '../../../src/cli/tables/csv.js';
import { providerTable } from '../../../src/cli/tables/provider-table.js';
import type { PublishedAdvertisement } from '../../../src/client/node.js';

const NOW = Date.parse('2026-01-01T00:00:00.000Z');
const CONTEXT = { amounts: { cpu: 2, memory: 4, storage: 20 }, now: NOW };

function published(members: Partial<PublishedAdvertisement> = {}): PublishedAdvertisement {
  return {
    provider_id: 'a'.repeat(64),
    ip_address: '203.0.113.200',
    country: 'SE',
    resources: { cpu: 4, memory: 8, storage: 40 },
    platform: null,
    pricing: { usd_per_core_month: 5, usd_per_gb_ram_month: 2, usd_per_gb_storage_month: 0.1 },
    name: null,
    provider_name: null,
    payments_network: null,
    attributes: null,
    endpoint: null,
    created_at: '2025-12-30T00:00:00.000Z',
    updated_at: '2025-12-31T23:59:48.000Z',
    status: 'live',
    expires_at: '2026-01-01T00:04:48.000Z',
    verified: true,
    ip_confirmed: false,
    ...members,
  };
}

const NAMES = [
  'Göteborg',
  '北京高性能计算中心',
  'שרתים בתל אביב',
  'خادم القاهرة',
  '🚀 fusée 👨‍👩‍👧 ❤️ 🫠',
  'Z̷̢̛̭̺̩̗̈́̔̐͒algo',
  'नमस्ते',
];
const MANY = NAMES.map((name, at) => published({ provider_id: String(at).repeat(64), name }));

const table = (
  all: readonly PublishedAdvertisement[],
  width: number | null,
  columns = usualColumns(false),
): string[] => providerTable(all, { ...CONTEXT, columns, width }).split('\n');

/** Columns of the screen before each occurrence of a text. */
const placesOf = (lines: readonly string[], text: string): number[] =>
  lines.map((line) => stringWidth(line.slice(0, line.lastIndexOf(text))));

test('columns stay in line whatever script a name is in, and joiners that terminals disagree on are left out', () => {
  const lines = table(MANY, 200);
  const [, ...rows] = lines;
  assert.equal(new Set(placesOf(rows, '203.0.113.200')).size, 1, lines.join('\n'));
  assert.equal(new Set(placesOf(rows, ' live ')).size, 1);
  assert.ok(!/\u200d|\ufe0f/.test(lines.join('')));
  // What follows a name that runs to the left stays where it is.
  assert.match(
    lines.find((line) => line.includes('שרתים'))!,
    /אביב\u200e +203/,
  );
});

test('80 columns have room for the address and the price; ids are cut to what tells them apart', () => {
  const ids = [
    '0'.repeat(64),
    `${'0'.repeat(13)}${'1'.repeat(51)}`,
    'eu-north-1.rack-12.host-0042',
    'eu-north-1.rack-12.host-0043',
  ];
  const lines = table(
    ids.map((provider_id) => published({ provider_id, name: '北京高性能计算中心' })),
    80,
  );
  for (const line of lines) assert.ok(stringWidth(line) <= 80, line);
  assert.match(lines[0]!, /^PROVIDER +.*ADDRESS +CC +CPU +RAM +DISK +USD 2\/4\/20 +STATUS +SEEN$/);
  const shown = lines.slice(1).map((line) => line.split(' ')[0]!);
  assert.equal(new Set(shown).size, 4, 'each is another');
  assert.deepEqual(shown.slice(2), ['eu-nor…t-0042', 'eu-nor…t-0043']);
  assert.match(lines[1]!, / 20\.00 +live +12s$/);
  assert.ok(table([published()], 200)[1]!.startsWith('a'.repeat(64)), 'nothing is cut where there is room');
});

test('the longest address leaves room for the price, in a list and in a watch, which marks its rows', () => {
  const ip_address = '2001:db8:1234:5678:9abc:def0:1234:5678';
  for (const width of [80, 78]) {
    const lines = table([published({ ip_address })], width);
    assert.match(lines[0]!, / USD( 2\/4\/20)?$/);
    assert.match(lines[1]!, new RegExp(` ${ip_address} .* 20\\.00$`));
    for (const line of lines) assert.ok(stringWidth(line) <= width, line);
  }
});

test('beside the largest machines, the longest address is cut, not the price', () => {
  const ip_address = '2001:db8:1234:5678:9abc:def0:1234:5678';
  const resources = { cpu: 4096, memory: 65_536, storage: 10_000_000 };
  for (const width of [80, 70]) {
    const lines = table(
      [
        published({ ip_address, resources }),
        published({ provider_id: 'b'.repeat(64), ip_address: '203.0.113.255' }),
      ],
      width,
    );
    for (const line of lines.slice(1)) assert.match(line, / 20\.00$/);
    assert.match(lines[1]!, / 2001:db8:1234:.*… /);
    assert.match(lines[2]!, / 203\.0\.113\.255 /);
    for (const line of lines) assert.ok(stringWidth(line) <= width, line);
  }
});

test('a table of any width keeps to it, and a wide one has everything', () => {
  const largest = published({
    ip_address: '2001:db8:85a3:1111:2222:8a2e:370:7334',
    resources: { cpu: 4096, memory: 65_536, storage: 10_000_000, gpu: 8, tpu: 4 },
    name: '北'.repeat(64),
    platform: 'p'.repeat(32),
    payments_network: 'n'.repeat(64),
  });
  for (const width of [60, 80, 100, 120, 200]) {
    for (const line of table([...MANY, largest], width))
      assert.ok(stringWidth(line) <= width, `${width}: ${line}`);
  }
  const wide = providerTable([largest], { ...CONTEXT, columns: usualColumns(true), width: null });
  for (const text of [
    'gpu=8 tpu=4',
    largest.name!,
    largest.provider_id,
    'GLM/MONTH 2/4/20',
    'yes',
    '2d',
    '5m',
  ]) {
    assert.ok(wide.includes(text), `${text} is missing in ${wide}`);
  }
});

test('CSV is quoted where it has to be, and no name becomes a formula', () => {
  const csv = toCsv(
    [
      published({ name: '=cmd|calc, "quoted"', resources: { cpu: 1, memory: 2, storage: 3, gpu: 4 } }),
      published({ pricing: null }),
    ],
    columnsOf(['id', 'name', 'resources', 'usd', 'verified', 'seen']),
    CONTEXT,
  );
  assert.equal(
    csv,
    `id,name,resources,usd,verified,seen
${'a'.repeat(64)},"'=cmd|calc, ""quoted""",gpu=4,20,true,2025-12-31T23:59:48.000Z
${'a'.repeat(64)},,,,true,2025-12-31T23:59:48.000Z`,
  );
});

test('prices keep digits that say something, and time spans are in the largest unit that says enough', () => {
  assert.deepEqual([0, 0.0015, 0.5, 12, 1e12, null].map(formatPrice), [
    '0.00',
    '0.0015',
    '0.50',
    '12.00',
    '1.00e+12',
    '',
  ]);
  assert.deepEqual([-5000, 119_000, 120_000, 7_140_000, 7_200_000, 200_000_000, NaN].map(formatAge), [
    '0s',
    '119s',
    '2m',
    '119m',
    '2h',
    '2d',
    '',
  ]);
});
