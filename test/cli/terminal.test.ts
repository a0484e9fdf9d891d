import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable, printableJson } from '../../src/cli/terminal.js';
import { providerTable } from '../../src/cli/tables/provider-table.js';
import { usualColumns } from '../../src/cli/tables/columns.js';
import type { PublishedAdvertisement } from '../../src/client/node.js';

const ONE = { cpu: 1, memory: 1, storage: 1 };

/** Clears a screen, in two spellings; changes the direction of writing; ends a line; is invisible. */
const HOSTILE = ['\u001b[2J', '\u009b2J', '\u202e', '\u2028', '\u{e0041}', '\u007f'];

test('JSON on a terminal shows no character that it would obey, and says the same', () => {
  const value = { [HOSTILE.join('')]: HOSTILE, plain: 'Zoë – ☕ 中文' };
  for (const indent of [0, 2]) {
    const text = printableJson(value, indent);
    assert.deepEqual(JSON.parse(text), value);
    assert.equal(printable(text.replaceAll('\n', '')), text.replaceAll('\n', ''));
    assert.ok(text.includes('Zoë – ☕ 中文'));
  }
});

test('a table shows no such character, whichever member a hub puts it in', () => {
  const hostile = HOSTILE.join('');
  const advertisement = {
    provider_id: hostile,
    ip_address: hostile,
    country: hostile,
    resources: { cpu: hostile, memory: hostile, storage: hostile },
    platform: hostile,
    pricing: null,
    name: hostile,
    payments_network: hostile,
    status: hostile,
    updated_at: hostile,
  } as unknown as PublishedAdvertisement;
  const table = providerTable([advertisement], {
    columns: usualColumns(true),
    width: null,
    amounts: ONE,
    now: 0,
  });
  assert.equal(printable(table.replaceAll('\n', '')), table.replaceAll('\n', ''));
});
