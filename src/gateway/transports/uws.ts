import { createServer } from 'node:net';
import type * as Uws from 'uWebSockets.js';
import type { StartTransport } from '../port.js';
import { listenError, MAX_BUFFERED_BYTES, MAX_HEADER_BYTES, OVERSIZE_FACTOR } from './shared.js';
import { UwsHttp } from './uws-http.js';
import type { UserData } from './uws-socket.js';

/** The library takes these four together; its types only know the shorter forms. */
interface ListensExclusively {
  listen(
    host: string,
    port: number,
    options: number,
    done: (socket: Uws.us_listen_socket | false) => void,
  ): void;
}

/** Without it the system would let two hubs share a port and split the clients between them. */
const EXCLUSIVE_PORT = 1;

/** Loads the library; rejects where there is no binary for this platform and this version of Node. */
export function loadUws(): Promise<typeof Uws> {
  // Read once, while the binary loads. The default of 4 KiB is less than a query may have.
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= String(MAX_HEADER_BYTES);
  return import('uWebSockets.js');
}

/**
 * HTTP and WebSocket on uWebSockets.js. For TLS, `App` becomes `SSLApp` with its options; nothing else changes.
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
  const app = uws.App();
  const http = new UwsHttp(options, handler);
  let open = 0;
  let refused = 0;

  // Not left to the system: without a file to spare, the library would try to take the same connection over and over.
  app.filter((res, change) => {
    open += change;
    if (change < 0 || open <= options.maxConnections) return;
    refused += 1;
    res.close();
  });

  app.ws<UserData>(options.websocketPath, {
    maxPayloadLength: OVERSIZE_FACTOR * options.maxMessageBytes,
    maxBackpressure: MAX_BUFFERED_BYTES,
    closeOnBackpressureLimit: false,
    // The hub pings, and decides who is dead.
    idleTimeout: 0,
    maxLifetime: 0,
    sendPingsAutomatically: false,
    upgrade: (res, req, context) => http.serve(res, req, context),
    open: (ws) => ws.getUserData().socket.opened(ws),
    message: (ws, message, binary) => ws.getUserData().socket.received(message, binary),
    ping: (ws) => ws.getUserData().socket.pinged(),
    pong: (ws) => ws.getUserData().socket.ponged(),
    drain: (ws) => ws.getUserData().socket.drained(),
    close: (ws, code) => {
      // The filter only hears of those that end as what they began as.
      open -= 1;
      ws.getUserData().socket.closed(code);
    },
  });
  app.any('/*', (res, req) => http.serve(res, req, undefined));

  let listener = await new Promise<Uws.us_listen_socket | false>((resolve) => {
    (app as Uws.TemplatedApp & ListensExclusively).listen(
      address.host,
      address.port,
      EXCLUSIVE_PORT,
      resolve,
    );
  });
  if (listener === false) throw listenError(address, await whyNot(address));

  return {
    name: 'uws',
    port: uws.us_socket_local_port(listener),
    get refused() {
      return refused;
    },
    stopListening: () => {
      if (listener !== false) uws.us_listen_socket_close(listener);
      listener = false;
    },
    close: () => {
      listener = false;
      app.close();
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
