import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTransport } from '../../../src/gateway/transports/index.js';
import { loadUws } from '../../../src/gateway/transports/uws/transport.js';
import { listening } from './harness.js';

test('each choice starts what it says, or says why it cannot', async (t) => {
  const loads = await loadUws().then(
    () => true,
    () => false,
  );
  assert.equal((await listening(t, startTransport('node'), {})).name, 'node');
  assert.equal((await listening(t, startTransport('auto'), {})).name, loads ? 'uws' : 'node');
  const uws = listening(t, startTransport('uws'), {});
  if (loads) assert.equal((await uws).name, 'uws');
  else await assert.rejects(uws, /"uws".*Choose "auto" or "node"/);
});
