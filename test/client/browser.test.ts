import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { generateKey, ProviderSession, watch } from '../../src/client/index.js';
import { CODEC_NAMES, TestHub } from '../support/hubs/test-hub.js';
import { ADVERTISEMENT } from './support/session-scene.js';

/** Every package that a compiled module imports, directly or through its own modules. */
function packagesOf(entry: string): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?'([^']+)'/g)) {
      if (name!.startsWith('.')) visit(resolve(dirname(file), name!));
      else packages.add(name!);
    }
  };
  visit(entry);
  return packages;
}

test('the entry for browsers needs nothing of Node', () => {
  const entry = fileURLToPath(new URL('../../src/client/index.js', import.meta.url));
  assert.deepEqual([...packagesOf(entry)].sort(), [
    '@noble/ed25519',
    '@noble/hashes/hmac',
    '@noble/hashes/sha2',
    '@noble/hashes/sha3',
    '@noble/secp256k1',
    'zod',
  ]);
});

for (const codec of CODEC_NAMES) {
  test(`it works with the WebSocket of the platform, ${codec}`, async (context) => {
    const platform = globalThis as { WebSocket?: unknown };
    const before = platform.WebSocket;
    platform.WebSocket = WebSocket;
    context.after(() => {
      platform.WebSocket = before;
    });
    const hub = await TestHub.start();
    try {
      const session = new ProviderSession(hub.url, {
        key: generateKey(),
        advertisement: ADVERTISEMENT,
        codec,
      });
      session.start();
      const published = await session.published();
      const watcher = watch(hub.url, {}, { codec });
      await watcher.ready;
      assert.deepEqual([...watcher.providers.values()], [published]);
      await Promise.all([session.stop(), watcher.stop()]);
    } finally {
      await hub.stop();
    }
  });
}

test('a platform without WebSocket is told what is missing', async (context) => {
  const platform = globalThis as { WebSocket?: unknown };
  const before = platform.WebSocket;
  delete platform.WebSocket;
  context.after(() => {
    if (before !== undefined) platform.WebSocket = before;
  });
  const watcher = watch('http://hub.example');
  await new Promise((resolve) => watcher.on('state', ({ error }) => error !== null && resolve(error)));
  assert.match(watcher.error!.message, /no WebSocket/);
  await watcher.stop();
});
