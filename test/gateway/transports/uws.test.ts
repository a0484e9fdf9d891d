import { describe } from 'node:test';
import { loadUws, startUws } from '../../../src/gateway/transports/uws/transport.js';
import { conformsForClosing } from './closing-conformance.js';
import { conformsForHttp } from './http-conformance.js';
import { conformsForLongBodies } from './long-body-conformance.js';
import { conformsForStreamedBodies } from './streamed-body-conformance.js';
import { conformsForSilence } from './silence-conformance.js';
import { conformsForWebSocket } from './websocket-conformance.js';

const skip = await loadUws().then(
  () => false,
  () => 'no binary for this platform',
);

describe('transport uws', { skip }, () => {
  conformsForHttp('uws', startUws);
  conformsForLongBodies(startUws);
  conformsForStreamedBodies('uws', startUws);
  conformsForWebSocket('uws', startUws);
  conformsForClosing(startUws);
  conformsForSilence(startUws);
});
