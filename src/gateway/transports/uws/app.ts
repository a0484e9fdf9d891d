import type * as Uws from 'uWebSockets.js';
import type { Admission } from '../admission.js';
import type { TransportHandler, TransportOptions } from '../port.js';
import { TlsError, type TlsFiles } from '../tls.js';
import { MAX_BUFFERED_BYTES, OVERSIZE_BYTES } from '../shared.js';
import type { UwsHttp } from './http.js';
import { readPeer } from './peer.js';
import type { UserData } from './socket.js';

/** What the library has, but its types do not know. */
interface Untyped {
  listen(
    host: string,
    port: number,
    options: number,
    done: (socket: Uws.us_listen_socket | false) => void,
  ): void;
  /** An app that is given every connection which arrives at this one from now on, in turn with others like it. */
  addChildAppDescriptor(descriptor: number): void;
  removeChildAppDescriptor(descriptor: number): void;
  getDescriptor(): number;
}

export type UwsApp = Uws.TemplatedApp & Untyped;

/**
 * Counts the connections of an app, and closes those that there is no room for. Not left to the system: without a file
 * to spare, the library would try to take the same connection over and over.
 */
function admit(
  admission: Admission,
  handler: TransportHandler,
): (res: Uws.HttpResponse, change: number) => void {
  return (res, change) => {
    if (change < 0) {
      // Of those that end as what they began as; the others are WebSockets by then.
      admission.leave();
      return;
    }
    if (!admission.enter()) return void res.close();
    const client = admission.asksForAddresses ? handler.clientOf(readPeer(res)) : null;
    if (client === null) return;
    const gone = admission.listenTo(client);
    if (gone === null) res.close();
    // The first request that is not answered at once puts its own in the place of this, and the first answer removes it.
    else res.onAborted(gone);
  };
}

/**
 * An app that serves HTTP and WebSocket, and has one certificate for good.
 * @throws TlsError when the library cannot use the certificate.
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
    // The hub pings, and decides who is dead.
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

/** The library reads the files itself, and does not say what is wrong with them. */
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
