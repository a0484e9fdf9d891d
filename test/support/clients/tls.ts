import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import type { TlsFiles } from '../../../src/gateway/transports/tls.js';
import { FIRST_CERTIFICATE, SECOND_CERTIFICATE, type TestCertificate } from '../../data/certificates.js';

/** What a client trusts that is to accept both certificates. */
export const TRUSTED = [FIRST_CERTIFICATE.cert, SECOND_CERTIFICATE.cert];

/** Writes a certificate and its key where a hub reads them, over those that are there. */
export function writeCertificate(folder: string, certificate: TestCertificate): TlsFiles {
  const files = { cert: join(folder, 'hub.crt'), key: join(folder, 'hub.key') };
  writeFileSync(files.cert, certificate.cert);
  writeFileSync(files.key, certificate.key, { mode: 0o600 });
  return files;
}

/** A TLS connection whose handshake is done. */
export async function secureConnection(port: number): Promise<TLSSocket> {
  const connection = connect({ port, host: '127.0.0.1', ca: TRUSTED });
  await once(connection, 'secureConnect');
  return connection;
}

/** The fingerprint of the certificate that a new connection gets. */
export async function presentedBy(port: number): Promise<string> {
  const connection = await secureConnection(port);
  const { fingerprint256 } = connection.getPeerCertificate();
  connection.destroy();
  return fingerprint256;
}

/** `fetch` that trusts the tests' certificates: the real one reads the trusted ones only when its process starts. */
export async function secureFetch(url: string, init: RequestInit): Promise<Response> {
  const { body, method = 'GET' } = init;
  const headers = Object.fromEntries(new Headers(init.headers));
  // Named here, because it would be taken from the Host header, which tests choose.
  const call = request(url, { method, headers, ca: TRUSTED, servername: 'localhost', agent: false });
  call.end(body ?? undefined);
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const received = new Headers();
  for (const [name, value] of Object.entries(response.headers)) received.append(name, String(value));
  return new Response((await text(response)) || null, {
    status: response.statusCode ?? 0,
    headers: received,
  });
}
