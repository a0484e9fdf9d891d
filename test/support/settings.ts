import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Config, ConfigError, loadConfig } from '../../src/config.js';

export const folder = mkdtempSync(join(tmpdir(), 'hub-config-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});
export const NO_FILE = join(folder, 'there-is-none.env');
let files = 0;

/** Writes a `.env` and returns its path. */
export function envFile(text: string): string {
  files += 1;
  const path = join(folder, `${String(files)}.env`);
  writeFileSync(path, text);
  return path;
}

/** What the shared store is read from, all together. */
export const STORE = [
  ...['ETCD_ENDPOINTS', 'ETCD_PREFIX', 'ETCD_CA', 'ETCD_CERT', 'ETCD_KEY'],
  ...['ETCD_USERNAME', 'ETCD_PASSWORD_FILE', 'HUB_NAME'],
];

export function load(environment: Record<string, string>, path = NO_FILE): Config {
  return loadConfig(environment, path);
}

/** The message of the refusal of these settings. */
export function refusal(environment: Record<string, string>, path = NO_FILE): string {
  try {
    load(environment, path);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  assert.fail(`${JSON.stringify(environment)} was accepted, but should have been refused`);
}

/** Settings that go with the limit of requests, unless they have a number of their own. */
export const PER_ADDRESS = [
  ['MAX_CONNECTIONS_PER_ADDRESS', 'maxConnectionsPerAddress', 1000],
  ['MAX_SILENT_CONNECTIONS_PER_ADDRESS', 'maxSilentConnectionsPerAddress', 128],
  ['MAX_SUBSCRIPTIONS_PER_ADDRESS', 'maxSubscriptionsPerAddress', 4000],
  ['SUBSCRIBES_PER_MINUTE', 'subscribesPerMinute', 1000],
  ['MAX_ADVERTISEMENTS_PER_ADDRESS', 'maxAdvertisementsPerAddress', 1000],
  ['NEW_NAMES_PER_DAY', 'newNamesPerDay', 100],
  ['INVALID_SIGNATURES_PER_MINUTE', 'invalidSignaturesPerMinute', 100],
] as const;
