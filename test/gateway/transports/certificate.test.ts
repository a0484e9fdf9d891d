import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readCertificate, TlsError, type TlsFiles } from '../../../src/gateway/transports/tls.js';
import { FIRST_CERTIFICATE, SECOND_CERTIFICATE } from '../../data/certificates.js';
import { writeCertificate } from '../../support/clients/tls.js';

const folder = mkdtempSync(join(tmpdir(), 'hub-tls-'));
after(() => {
  rmSync(folder, { recursive: true });
});
const good = writeCertificate(folder, FIRST_CERTIFICATE);

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function refusal(files: TlsFiles): string {
  try {
    readCertificate(files);
  } catch (error) {
    assert.ok(error instanceof TlsError);
    return error.message;
  }
  assert.fail('this was taken');
}

test('a certificate and its key are read, with what tells them apart', () => {
  const { cert, key, fingerprint, expires } = readCertificate(good);
  assert.equal(cert.toString(), FIRST_CERTIFICATE.cert);
  assert.equal(key.toString(), FIRST_CERTIFICATE.key);
  assert.equal(fingerprint, new X509Certificate(FIRST_CERTIFICATE.cert).fingerprint256);
  assert.equal(new Date(expires).toISOString(), '2120-01-01T00:00:00.000Z');
});

test('a chain is read as its first certificate, whatever text is around it', () => {
  const chain = `Subject: hub\n${FIRST_CERTIFICATE.cert}\nSubject: issuer\n${SECOND_CERTIFICATE.cert}`;
  const { fingerprint } = readCertificate({ ...good, cert: file('chain.crt', chain) });
  assert.equal(fingerprint, new X509Certificate(FIRST_CERTIFICATE.cert).fingerprint256);
});

test('what cannot be used is named, with its setting and what to do', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const encrypted = privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  });
  const cut = FIRST_CERTIFICATE.cert.slice(0, 300);
  const cases: [setting: 'cert' | 'key', path: string, reason: RegExp][] = [
    ['cert', join(folder, 'nowhere.crt'), /no such file; give the path/],
    ['cert', join(good.cert, 'nowhere.crt'), /no such file; give the path/],
    ['cert', folder, /a folder; give the path/],
    ['cert', file('empty.crt', ''), /no certificate; it has to be a PEM file/],
    ['cert', file('cut.crt', cut), /no certificate; it has to be a PEM file/],
    ['cert', good.key, /begins with a key; it has to begin with the certificate/],
    ['key', join(folder, 'nowhere.key'), /no such file; give the path/],
    ['key', file('empty.key', ''), /no private key; it has to be a PEM file/],
    ['key', good.cert, /no private key; it has to be a PEM file/],
    ['key', file('encrypted.key', String(encrypted)), /is encrypted; store it without a passphrase/],
    [
      'key',
      file('other.key', SECOND_CERTIFICATE.key),
      /does not belong to the certificate in .*hub\.crt; name/,
    ],
    [
      'key',
      file('kind.key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
      /does not belong to the certificate/,
    ],
  ];
  for (const [setting, path, reason] of cases) {
    const message = refusal({ ...good, [setting]: path });
    assert.ok(message.startsWith(`DISCOVERY_TLS_${setting.toUpperCase()}=${path}: `), message);
    assert.match(message, reason);
  }
});

test(
  'a file that the hub may not read is told apart from one that is not there',
  { skip: process.getuid?.() === 0 && 'root may read everything' },
  () => {
    const path = file('secret.key', FIRST_CERTIFICATE.key);
    chmodSync(path, 0);
    assert.match(refusal({ ...good, key: path }), /may not read this file; let the user/);
  },
);
