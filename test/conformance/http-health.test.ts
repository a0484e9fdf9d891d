import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { onBothTransports } from '../support/http.js';
import { TestHub, TRANSPORTS } from '../support/test-hub.js';

onBothTransports('health', {}, (hub) => {
  test('a hub that is well says so', async () => {
    const { status, body, headers } = await hub().get('/health');
    assert.equal(status, 200);
    assert.deepEqual(body, { status: 'healthy' });
    assert.match(headers.get('content-type') ?? '', /^application\/json\b/);
  });
});

describe('health of a hub that stops', () => {
  for (const transport of TRANSPORTS) {
    test(`it is degraded, and says why (${transport})`, async () => {
      const hub = await TestHub.start({ TRANSPORT: transport });
      try {
        hub.hub.gateway.drain();
        const { status, body } = await hub.get<{ status: string; reason: string }>('/health');
        assert.equal(status, 503);
        assert.deepEqual(Object.keys(body), ['status', 'reason']);
        assert.equal(body.status, 'degraded');
        assert.match(body.reason, /stopping/);
      } finally {
        await hub.stop();
      }
    });
  }
});
