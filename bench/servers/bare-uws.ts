/** The minimum on uWebSockets.js: a constant response, and for each WebSocket whatever its path asks for. */
import * as uws from 'uWebSockets.js';
import { serveCalls } from '../rpc.js';

/** The functions of a bare server. */
export interface BareServerCalls {
  /** Sets the response to every request. */
  answering: (body: Uint8Array) => null;
  /** Sets the message to all subscribers at each trigger. */
  publishing: (bytes: Uint8Array) => null;
  /** Memory of the process in bytes. */
  rss: (input: null) => number;
}

interface UserData {
  path: string;
}

const TOPIC = 'all';
let body: Uint8Array = Buffer.from('ok');
let published: Uint8Array = body;

const app = uws.App();
app.ws<UserData>('/*', {
  maxPayloadLength: 1024 * 1024,
  maxBackpressure: 64 * 1024 * 1024,
  idleTimeout: 0,
  sendPingsAutomatically: false,
  upgrade: (res, req, context) => {
    const key = req.getHeader('sec-websocket-key');
    res.upgrade({ path: req.getUrl() }, key, '', '', context);
  },
  open: (ws) => {
    if (ws.getUserData().path === '/subscribe') ws.subscribe(TOPIC);
  },
  message: (ws, message, binary) => {
    const { path } = ws.getUserData();
    if (path === '/echo') ws.send(message, binary);
    else if (path === '/publish') app.publish(TOPIC, published, false);
  },
});
app.any('/*', (res) => {
  res.writeHeader('Content-Type', 'application/json; charset=utf-8').end(body);
});
app.listen('127.0.0.1', 0, (socket) => {
  if (socket === false) throw new Error('it cannot listen');
  process.stdout.write(`port ${String(uws.us_socket_local_port(socket))}\n`);
});

serveCalls<BareServerCalls>({
  answering: (bytes) => {
    body = Uint8Array.from(bytes);
    return null;
  },
  publishing: (bytes) => {
    published = Uint8Array.from(bytes);
    return null;
  },
  rss: () => process.memoryUsage.rss(),
});
