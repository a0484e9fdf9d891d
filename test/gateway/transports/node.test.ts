import { describe } from 'node:test';
import { startNode } from '../../../src/gateway/transports/node/transport.js';
import { conformsForClosing } from './closing-conformance.js';
import { conformsForHttp } from './http-conformance.js';
import { conformsForLongBodies } from './long-body-conformance.js';
import { conformsForStreamedBodies } from './streamed-body-conformance.js';
import { conformsForSilence } from './silence-conformance.js';
import { conformsForWebSocket } from './websocket-conformance.js';

describe('transport node', () => {
  conformsForHttp('node', startNode);
  conformsForLongBodies(startNode);
  conformsForStreamedBodies('node', startNode);
  conformsForWebSocket('node', startNode);
  conformsForClosing(startNode);
  conformsForSilence(startNode);
});
