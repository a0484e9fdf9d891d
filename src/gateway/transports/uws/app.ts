import type * as Uws from 'uWebSockets.js';
import type { Admission } from '../admission.js';
import type { TransportHandler, TransportOptions } from '../port.js';
import { TlsError, type TlsFiles } from '../tls.js';
import { MAX_BUFFERED_BYTES, OVERSIZE_BYTES } from '../shared.js';
import type { UwsHttp } from './http.js';
import { readPeer } from './peer.js';
import type { UserData } from './socket.js';

/** Members that are missing in the library's types. */
interface Untyped {
  listen(
    host: string,
    port: number,
    options: number,
    done: (socket: Uws.us_listen_socket | false) => void,
  ): void;
  /** Adds an app to which connections that arrive at this one are distributed from now on. */
  addChildAppDescriptor(descriptor: number): void;
  removeChildAppDescriptor(descriptor: number): void;
  getDescriptor(): number;
}

export type UwsApp = Uws.TemplatedApp & Untyped;

/**
 * Counts the connections of an app, and closes those for which there is no room. This cannot be left to the operating system: with no file
 * descriptor free, the library would try to accept the same connection over and over.
 */
function admit(
  admission: Admission,
  handler: TransportHandler,
): (res: Uws.HttpResponse, change: number) => void {
  return (res, change) => {
    if (change < 0) {
      // Only for connections that end as plain HTTP; upgraded ones are counted as WebSockets.
      admission.leave();
      return;
    }
    if (!admission.enter()) return void res.close();
    const client = admission.asksForAddresses ? handler.clientOf(readPeer(res)) : null;
    if (client === null) return;
    const gone = admission.listenTo(client);
    if (gone === null) res.close();
    // The first request that is answered later replaces this handler, and the first response removes it.
    else res.onAborted(gone);
  };
}

/**
 * Creates an app that serves HTTP and WebSocket. Its certificate can never change.
 * @throws TlsError if the library cannot use the certificate.
 */
export function createApp(
  uws: typeof Uws,
  options: TransportOptions,
  handler: TransportHandler,
  http: UwsHttp,
  admission: Admission,
): UwsApp {
  const app = (options.tls === null ? uws.App() : createSecureApp(uws, options.tls)) as UwsApp;
  app.filter(admit(admission, handler));
  app.ws<UserData>(options.websocketPath, {
    maxPayloadLength: options.maxMessageBytes + OVERSIZE_BYTES,
    maxBackpressure: MAX_BUFFERED_BYTES,
    closeOnBackpressureLimit: false,
    // The hub itself pings and decides who is dead.
    idleTimeout: 0,
    maxLifetime: 0,
    sendPingsAutomatically: false,
    upgrade: (res, req, context) => http.serve(res, req, context),
    open: (ws) => ws.getUserData().socket.opened(ws),
    message: (ws, message, binary) => ws.getUserData().socket.received(message, binary),
    ping: (ws) => ws.getUserData().socket.pinged(),
    pong: (ws) => ws.getUserData().socket.ponged(),
    drain: (ws) => ws.getUserData().socket.writable(),
    close: (ws, code) => {
      admission.leave();
      ws.getUserData().socket.closed(code);
    },
  });
  app.any('/*', (res, req) => http.serve(res, req, undefined));
  return app;
}

/** The library reads the files itself and gives no reason if it cannot use them. */
function createSecureApp(uws: typeof Uws, files: TlsFiles): Uws.TemplatedApp {
  try {
    return uws.SSLApp({ cert_file_name: files.cert, key_file_name: files.key });
  } catch (cause) {
    throw new TlsError(
      `DISCOVERY_TLS_CERT=${files.cert}: the transport "uws" cannot use this certificate with its key in ${files.key}; use an ECDSA (P-256) or RSA certificate, or set DISCOVERY_TRANSPORT=node`,
      { cause },
    );
  }
}
