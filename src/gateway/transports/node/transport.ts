import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { Server as NetServer, type AddressInfo, type Socket as NetSocket } from 'node:net';
import { Admission } from '../admission.js';
import type { StartTransport } from '../port.js';
import { MIN_TLS_VERSION, readCertificate, type TlsFiles } from '../tls.js';
import { NodeHttp } from './http.js';
import { ignore, listenError, MAX_HEADER_BYTES, noTls, PATIENCE_MS, plainAddress } from '../shared.js';

const SETTINGS: ServerOptions = {
  // The hub itself checks the Host header.
  requireHostHeader: false,
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: PATIENCE_MS,
  requestTimeout: PATIENCE_MS,
  keepAliveTimeout: PATIENCE_MS,
  connectionsCheckingInterval: PATIENCE_MS / 4,
};

/** HTTP and WebSocket on `node:http`, or `node:https` for TLS, and `ws`. */
export const startNode: StartTransport = async (address, options, handler) => {
  const { tls } = options;
  const secure = tls === null ? null : createSecureServer(tls);
  const server: Server | TlsServer = secure ?? createServer(SETTINGS);
  // By default, node:http silently drops headers beyond 2000; their bytes are bounded anyway.
  server.maxHeadersCount = 0;
  // A client that half-closes still gets its response. Missing in the types.
  Object.assign(server, { httpAllowHalfOpen: true });

  if (options.maxConnections < Number.POSITIVE_INFINITY) server.maxConnections = options.maxConnections;
  let dropped = 0;
  server.on('drop', () => (dropped += 1));
  const admission = new Admission(options);

  const connections = new Set<NetSocket>();
  const remember = (connection: NetSocket): void => {
    if (connections.has(connection)) return;
    connections.add(connection);
    // During the switch from HTTP to WebSocket nobody else listens, and an unhandled error would end the process.
    connection.on('error', ignore);
    connection.once('close', () => connections.delete(connection));
  };
  server.on('connection', (connection: NetSocket) => {
    if (!connections.has(connection)) admit(connection);
    remember(connection);
  });
  secure?.on('secureConnection', remember);

  const admit = (connection: NetSocket): void => {
    const client = admission.asksForAddresses
      ? handler.clientOf(plainAddress(connection.remoteAddress ?? ''))
      : null;
    if (client === null) return;
    const gone = admission.listenTo(client);
    if (gone === null) connection.destroy();
    else connection.once('close', gone);
  };

  const arrival = secure === null ? 'connection' : 'secureConnection';
  const http = new NodeHttp(
    options,
    handler,
    admission,
    (connection) => void server.emit(arrival, connection),
  );
  server.on('request', (req, res) => http.serve(req, res, false));
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => http.serve(req, res, true));
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => http.serve(req, res, false));
  server.on('upgrade', (req, connection, head) => http.upgrade(req, connection, head));
  server.on('connect', (_req, connection) => http.broken(connection, undefined));
  server.on('clientError', (error, connection) => http.broken(connection, error));

  server.listen({ host: address.host, port: address.port, exclusive: true });
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw listenError(address, cause);
  }

  // Not `close` of http.Server, which also cuts idle connections.
  const stopListening = (): void => void NetServer.prototype.close.call(server);
  return {
    name: 'node',
    port: (server.address() as AddressInfo).port,
    get refused() {
      return dropped + admission.refused;
    },
    renewCertificate: () => {
      if (secure === null || tls === null) throw noTls();
      const certificate = readCertificate(tls);
      secure.setSecureContext({ ...certificate, minVersion: MIN_TLS_VERSION });
      return certificate;
    },
    stopListening,
    close: async () => {
      const gone = [...http.open].map((ws) => new Promise((resolve) => ws.once('close', resolve)));
      const ended = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const connection of connections) connection.destroy();
      await Promise.all([ended, ...gone]);
    },
  };
};

function createSecureServer(tls: TlsFiles): TlsServer {
  const server = createTlsServer({
    ...SETTINGS,
    ...readCertificate(tls),
    minVersion: MIN_TLS_VERSION,
    handshakeTimeout: PATIENCE_MS,
  });
  // A client that fails the handshake could not read a response, which node:https would try to send.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (_error, connection) => connection.destroy());
  return server;
}
