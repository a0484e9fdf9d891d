/** The minimum on node:http: a constant response. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveCalls } from '../rpc.js';
import type { BareServerCalls } from './bare-uws.js';

let body: Uint8Array = Buffer.from('ok');
const server = createServer((_, response) => {
  response
    .writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length })
    .end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`port ${String((server.address() as AddressInfo).port)}\n`);
});

serveCalls<Pick<BareServerCalls, 'answering'>>({
  answering: (bytes) => {
    body = Uint8Array.from(bytes);
    return null;
  },
});
