import { createServer } from 'node:net';
import type * as Uws from 'uWebSockets.js';
import { Admission } from '../admission.js';
import type { StartTransport } from '../port.js';
import { readCertificate } from '../tls.js';
import { listenError, MAX_HEADER_BYTES, noTls } from '../shared.js';
import { createApp } from './app.js';
import { UwsHttp } from './http.js';

/** Without it, the operating system would let two hubs share a port and split the clients between them. */
const EXCLUSIVE_PORT = 1;

/** Loads the library; rejects if it has no binary for this platform and version of Node. */
export function loadUws(): Promise<typeof Uws> {
  // Read once, when the binary loads. The default of 4 KiB is less than the longest query.
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= String(MAX_HEADER_BYTES);
  return import('uWebSockets.js');
}

/**
 * HTTP and WebSocket on uWebSockets.js.
 *
 * The library itself decides the following, and the hub has no say:
 * - Idle HTTP connections, and bodies that take longer, end after 10 s.
 * - Input that is not HTTP/1.1 gets the library's own page, or no response: HTTP/1.0, no Host header, an absolute URL as the target, trailers
 *   after a chunked body, headers over the limit, a request line that ends after its first space.
 * - A request pipelined behind one whose response is pending closes the connection.
 * - A WebSocket that sends text that is not UTF-8 is cut (1006).
 */
export const startUws: StartTransport = async (address, options, handler) => {
  const uws = await loadUws();
  if (options.tls !== null) readCertificate(options.tls);
  const admission = new Admission(options);
  const http = new UwsHttp(options, handler, admission);
  const app = createApp(uws, options, handler, http, admission);
  /** Every app that may have connections. The library keeps an app until the process ends. */
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
      // An app cannot change its certificate, so a second app with the new one takes over new connections.
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

/** The library only says that it could not listen; `node:net` gives the reason. */
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
