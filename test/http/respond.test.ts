import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorResponse } from '../../src/http/respond.js';
import { ERROR_STATUS, type ErrorCode, ProtocolError } from '../../src/protocol/errors.js';

test('an error is answered under the status of its code', () => {
  for (const [code, status] of Object.entries(ERROR_STATUS)) {
    const response = errorResponse(new ProtocolError(code as ErrorCode, 'x'), 0);
    assert.equal(response.status, status, code);
    assert.equal(response.headers['Retry-After'], undefined, code);
  }
});

test('what is unavailable is answered 503, and how long to wait is told', () => {
  const error = new ProtocolError('ADV_001', 'the disk is full', { unavailable: true, retryAfterSeconds: 5 });
  const response = errorResponse(error, 0);
  assert.equal(response.status, 503);
  assert.equal(response.headers['Retry-After'], '5');
  assert.deepEqual(JSON.parse(String(response.body)), error.toBody(0));
});

test('an answer may have another status and further headers than its error asks for', () => {
  const error = new ProtocolError('ADV_003', 'a fault');
  const response = errorResponse(error, 0, { status: 500, headers: { Allow: 'GET' } });
  assert.equal(response.status, 500);
  assert.equal(response.headers['Allow'], 'GET');
});
