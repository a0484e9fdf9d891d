import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureVersion } from 'node:tls';

/** Older versions are insecure. uWebSockets.js has the same minimum built in. */
export const MIN_TLS_VERSION: SecureVersion = 'TLSv1.2';

/** Paths of the PEM files with the hub's certificate and key. */
export interface TlsFiles {
  /** The hub's own certificate, followed by its intermediates. */
  cert: string;
  key: string;
}

/** A certificate and its key, as read from the files. */
export interface Certificate {
  cert: Buffer;
  key: Buffer;
  /** The SHA-256 fingerprint, in the form that browsers and openssl show. */
  fingerprint: string;
  /** Unix milliseconds. */
  expires: number;
}

/** The certificate or its key cannot be used; the message names the setting and file and says what to do. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
}

/**
 * Reads a certificate and its key, and checks that they belong together.
 * @throws TlsError
 */
export function readCertificate(files: TlsFiles): Certificate {
  const aboutCert = `DISCOVERY_TLS_CERT=${files.cert}`;
  const aboutKey = `DISCOVERY_TLS_KEY=${files.key}`;
  const cert = read(files.cert, aboutCert);
  const key = read(files.key, aboutKey);
  const parsed = attempt(
    () => new X509Certificate(cert),
    () => `${aboutCert}: ${whyNoCertificate(cert)}`,
  );
  const parsedKey = attempt(
    () => createPrivateKey(key),
    () => `${aboutKey}: ${whyNoKey(key)}`,
  );
  if (!fits(parsed, parsedKey)) {
    throw new TlsError(
      `${aboutKey}: this key does not belong to the certificate in ${files.cert}; name the key that the certificate was made for, or renew both`,
    );
  }
  attempt(
    () => createSecureContext({ cert, key, minVersion: MIN_TLS_VERSION }),
    (reason) => `${aboutCert}: it cannot be used for TLS (${reason}); get another one`,
  );
  return { cert, key, fingerprint: parsed.fingerprint256, expires: Date.parse(parsed.validTo) };
}

function attempt<Value>(call: () => Value, explain: (reason: string) => string): Value {
  try {
    return call();
  } catch (cause) {
    throw new TlsError(explain((cause as Error).message), { cause });
  }
}

function read(path: string, about: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new TlsError(`${about}: ${whyUnreadable(cause as NodeJS.ErrnoException)}`, { cause });
  }
}

function whyUnreadable(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file; give the path of a PEM file';
    case 'EISDIR':
      return 'this is a folder; give the path of a PEM file';
    case 'EACCES':
    case 'EPERM':
      return 'the hub may not read this file; let the user that it runs as read it';
    default:
      return `the file cannot be read (${error.message})`;
  }
}

function whyNoCertificate(bytes: Buffer): string {
  return bytes.includes('PRIVATE KEY-----')
    ? 'this file begins with a key; it has to begin with the certificate, as a PEM block (-----BEGIN CERTIFICATE-----)'
    : 'this is no certificate; it has to be a PEM file (-----BEGIN CERTIFICATE-----)';
}

function whyNoKey(bytes: Buffer): string {
  return bytes.includes('ENCRYPTED')
    ? 'the key is encrypted; store it without a passphrase, readable for the hub alone (openssl pkey -in … -out …)'
    : 'this is no private key; it has to be a PEM file (-----BEGIN PRIVATE KEY-----)';
}

function fits(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    // The keys are of different types.
    return false;
  }
}
