import { createServer } from 'node:net';
import type * as Uws from 'uWebSockets.js';
import { Admission } from '../admission.js';
import type { StartTransport } from '../port.js';
import { readCertificate } from '../tls.js';
import { listenError, MAX_HEADER_BYTES, noTls } from '../shared.js';
import { createApp } from './app.js';
import { UwsHttp } from './http.js';

/** Without it the system would let two hubs share a port and split the clients between them. */
const EXCLUSIVE_PORT = 1;

/** Loads the library; rejects where there is no binary for this platform and this version of Node. */
export function loadUws(): Promise<typeof Uws> {
  // Read once, while the binary loads. The default of 4 KiB is less than a query may have.
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= String(MAX_HEADER_BYTES);
  return import('uWebSockets.js');
}

/**
 * HTTP and WebSocket on uWebSockets.js.
 *
 * What the library decides by itself, whatever the hub would do:
 * - An idle HTTP connection, and a body that takes longer, end after 10 s.
 * - What is not HTTP/1.1 gets a page of its own, or nothing: HTTP/1.0, no Host header, a full URL as the target,
 *   trailers after a chunked body, headers over the limit, a request line that is cut behind its first space.
 * - A request that is pipelined behind one whose answer is still to come ends the connection.
 * - A WebSocket that sends text which is not UTF-8 is cut (1006).
 */
export const startUws: StartTransport = async (address, options, handler) => {
  const uws = await loadUws();
  if (options.tls !== null) readCertificate(options.tls);
  const admission = new Admission(options);
  const http = new UwsHttp(options, handler, admission);
  const app = createApp(uws, options, handler, http, admission);
  /** Every app that may have connections. The library keeps an app for as long as the process lives. */
  const apps = [app];

  let listener = await new Promise<Uws.us_listen_socket | false>((resolve) => {
    app.listen(address.host, address.port, EXCLUSIVE_PORT, resolve);
  });
  if (listener === false) throw listenError(address, await whyNot(address));

  return {
    name: 'uws',
    port: uws.us_socket_local_port(listener),
    get refused() {
      return admission.refused;
    },
    renewCertificate: () => {
      if (options.tls === null) throw noTls();
      const certificate = readCertificate(options.tls);
      // An app has one certificate for good. A second one, with the new certificate, takes over what arrives.
      const next = createApp(uws, options, handler, http, admission);
      app.addChildAppDescriptor(next.getDescriptor());
      const current = apps.at(-1);
      if (current !== undefined && current !== app) app.removeChildAppDescriptor(current.getDescriptor());
      apps.push(next);
      return certificate;
    },
    stopListening: () => {
      if (listener !== false) uws.us_listen_socket_close(listener);
      listener = false;
    },
    close: () => {
      listener = false;
      for (const each of apps) each.close();
      return Promise.resolve();
    },
  };
};

/** The library only says that it could not listen; `node:net` says why. */
function whyNot({ host, port }: { host: string; port: number }): Promise<unknown> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen({ host, port, exclusive: true }, () => {
      probe.close(() =>
        resolve('the system refused it, and did not say why. Try again, or choose another port.'),
      );
    });
  });
}
