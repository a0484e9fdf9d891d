import { describe } from 'node:test';
import { startNode } from '../../../src/gateway/transports/node/transport.js';
import { conformsForClosing } from './closing-conformance.js';
import { overTls } from './harness.js';
import { conformsForHttp } from './http-conformance.js';
import { conformsForLongBodies } from './long-body-conformance.js';
import { conformsForStreamedBodies } from './streamed-body-conformance.js';
import { conformsForSilence } from './silence-conformance.js';
import { conformsForWebSocket } from './websocket-conformance.js';

overTls();

describe('transport node over TLS', () => {
  conformsForHttp('node', startNode);
  conformsForLongBodies(startNode);
  conformsForStreamedBodies('node', startNode);
  conformsForWebSocket('node', startNode);
  conformsForClosing(startNode);
  conformsForSilence(startNode);
});
