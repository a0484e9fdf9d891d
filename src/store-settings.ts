import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createSecureContext } from 'node:tls';
import type { DatabaseLocation } from './registry/mirror/location.js';
import type { SharedLogSettings } from './registry/etcd/settings.js';

/** The settings of a shared store, as given. */
interface GivenStore {
  ETCD_ENDPOINTS: readonly string[];
  ETCD_PREFIX: string;
  ETCD_CA: string;
  ETCD_CERT: string;
  ETCD_KEY: string;
  ETCD_USERNAME: string;
  ETCD_PASSWORD_FILE: string;
  HUB_NAME: string;
  DB_URL: DatabaseLocation;
}

/** The settings of a shared store contradict each other, or name files that cannot be read; the message says which. */
export class StoreSettingsError extends Error {
  override readonly name = 'StoreSettingsError';
}

/**
 * Derives what a hub needs to share a store with others.
 * @returns Null if it shares none.
 * @throws StoreSettingsError
 */
export function readStoreSettings(given: GivenStore): SharedLogSettings | null {
  const { ETCD_ENDPOINTS: endpoints, ETCD_CERT: cert, ETCD_KEY: key, ETCD_USERNAME: name } = given;
  if (endpoints.length === 0) return null;
  if ((cert === '') !== (key === '')) throw pair('ETCD_CERT', 'ETCD_KEY');
  if ((name === '') !== (given.ETCD_PASSWORD_FILE === '')) throw pair('ETCD_USERNAME', 'ETCD_PASSWORD_FILE');
  const files = given.ETCD_CA !== '' || cert !== '';
  if (files && endpoints.some((url) => url.startsWith('http:'))) {
    throw new StoreSettingsError(
      'DISCOVERY_ETCD_ENDPOINTS has an http:// URL, which ignores certificates: make it https://, or remove the certificates',
    );
  }
  return {
    endpoints,
    prefix: given.ETCD_PREFIX,
    // Besides letters and digits, host names contain only dots and dashes.
    hubName: given.HUB_NAME === '' ? hostname().replace(/[^\w.-]/g, '-') : given.HUB_NAME,
    // Where the hub would keep all of its state, were it alone.
    markPath: given.DB_URL.kind === 'file' ? `${given.DB_URL.path}.store` : null,
    ca: given.ETCD_CA === '' ? null : read('ETCD_CA', given.ETCD_CA),
    client: cert === '' ? null : readClientCertificate(cert, key),
    user:
      name === ''
        ? null
        : { name, password: read('ETCD_PASSWORD_FILE', given.ETCD_PASSWORD_FILE).toString('utf8').trim() },
  };
}

function pair(one: string, other: string): StoreSettingsError {
  return new StoreSettingsError(
    `DISCOVERY_${one} and DISCOVERY_${other} only work together; set both, or neither`,
  );
}

/** @throws StoreSettingsError if they cannot be read, or are not of each other. */
function readClientCertificate(certPath: string, keyPath: string): { cert: Buffer; key: Buffer } {
  const pem = { cert: read('ETCD_CERT', certPath), key: read('ETCD_KEY', keyPath) };
  try {
    createSecureContext(pem);
  } catch (error) {
    throw new StoreSettingsError(
      `DISCOVERY_ETCD_CERT=${certPath} and DISCOVERY_ETCD_KEY=${keyPath} cannot be used: ${(error as Error).message}`,
    );
  }
  return pem;
}

function read(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new StoreSettingsError(`DISCOVERY_${setting}=${path}: cannot be read: ${(error as Error).message}`);
  }
}
