import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiscoveryError, HubAddress } from '../../src/client/index.js';
import { parseHubUrls } from '../../src/client/hub-url.js';

const inOrder = (): number => 0.999;
const urls = (address: HubAddress, random = inOrder): string[] =>
  parseHubUrls(address, random).map(({ http }) => http);

test('hubs are given as one text with commas, or a list, each counts once', () => {
  const [a, b, c] = ['http://a:1', 'https://b/hub', 'http://c'] as const;
  assert.deepEqual(urls(a), [a]);
  assert.deepEqual(urls(` ${a}, wss://b/hub/ ,${c}`), [a, b, c]);
  assert.deepEqual(urls([a, new URL(b), `${c},ws://a:1`]), [a, b, c]);
});

test('clients spread over the hubs: every order is as likely as any other', () => {
  const step = 1 / 6;
  const orders = new Set<string>();
  // All that two draws out of three and two can be.
  for (const [first, second] of [0, 1, 2].flatMap((i) => [0, 1].map((j) => [i / 3 + step, j / 2 + step]))) {
    const draws = [first!, second!];
    orders.add(urls('http://a,http://b,http://c', () => draws.shift()!).join());
  }
  assert.equal(orders.size, 6);
});

test('no hub, an empty name between commas, and too many are refused', () => {
  const many = Array.from({ length: 33 }, (_, number) => `http://hub-${String(number)}`);
  for (const address of [[], '', 'http://a,,http://b', 'http://a,b', many]) {
    assert.throws(
      () => urls(address),
      (error: DiscoveryError) => error.code === 'USAGE',
    );
  }
});
