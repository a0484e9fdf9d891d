import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { DiscoveryError, explainFailure } from '../errors.js';
import { parse, refusal } from '../refusal.js';
import type { SocketClosure, WebSocketFactory } from '../connection/web-socket.js';

/** How many bytes of a refused handshake's body are read. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** WebSockets with `ws`, which reports the hub's pings, and why a handshake was refused. */
export const nodeWebSocket: WebSocketFactory = (url, subprotocol, listener) => {
  const socket = new WebSocket(url, [subprotocol], { perMessageDeflate: false, followRedirects: false });
  let error: DiscoveryError | undefined;
  socket.on('message', (data: Buffer, isBinary) => {
    listener.message(isBinary ? data : data.toString('utf8'));
  });
  socket.on('ping', () => {
    listener.alive();
  });
  socket.on('pong', () => {
    listener.alive();
  });
  socket.on('unexpected-response', (_request, response) => {
    void readRefusal(response).then((refused) => {
      error = refused;
      socket.terminate();
    });
  });
  socket.on('error', (cause) => {
    error ??= new DiscoveryError(
      'NETWORK',
      `the connection to ${url} failed: ${explainFailure(cause, url)}`,
      {
        cause,
      },
    );
  });
  socket.on('close', (code, reason) => {
    const closure: SocketClosure = { code, reason: reason.toString('utf8') };
    // The hub's close code is more informative than the error of a closed socket.
    listener.closed(error !== undefined && code === 1006 ? { ...closure, error } : closure);
  });
  return {
    send(data) {
      if (socket.readyState === WebSocket.OPEN) socket.send(data);
    },
    close() {
      socket.close(1000);
    },
    terminate() {
      socket.terminate();
    },
  };
};

async function readRefusal(response: IncomingMessage): Promise<DiscoveryError> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > MAX_REFUSAL_BYTES) break;
    }
  } catch {
    // Use what came so far.
  }
  const headers = { get: (name: string) => response.headers[name.toLowerCase()]?.toString() ?? null };
  return refusal(response.statusCode ?? 0, headers, parse(text));
}
