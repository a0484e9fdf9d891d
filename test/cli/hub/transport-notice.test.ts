import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transportNotice } from '../../../src/cli/hub/transport-notice.js';

test('where no binary of uWebSockets.js loads, a start says which transport it is and how to bring one in', () => {
  const notice = transportNotice('auto', 'node', '24.1.0') ?? '';
  assert.match(notice, /the transport is "node".*for Node 24\.1\.0/);
  assert.match(notice, /npm install uWebSockets\.js@github:uNetworking\/uWebSockets\.js#<tag>/);
  assert.equal(transportNotice('auto', 'uws', '22.1.0'), null);
  assert.equal(transportNotice('node', 'node', '24.1.0'), null, 'it was asked for');
});
