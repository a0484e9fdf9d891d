import assert from 'node:assert/strict';
import type { ListAnswer } from '../../../src/registry/registry.js';

/** The JSON of a list that is short enough to come in one piece. */
export function listText({ body }: ListAnswer): string {
  assert.ok(body instanceof Buffer);
  return body.toString('utf8');
}
