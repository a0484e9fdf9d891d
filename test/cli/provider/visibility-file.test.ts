import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Visibility } from '../../../src/client/node.js';
import {
  clearVisibility,
  leaveVisibility,
  readVisibility,
} from '../../../src/cli/provider/visibility-file.js';
import { scratchFolder } from '../../process/hub-process.js';

const SEEN: Visibility = {
  listed: true,
  status: 'live',
  streams: 3,
  subscribers: 2,
  missed: [],
  price: null,
};
const HUB = 'http://localhost:7465';
const WHO = { url: 'http://localhost:7465', provider_id: 'a' };
const AT = 1_740_063_600_000;

test('what is left beside a key is read for the same provider on the same hub, while it is fresh', (t) => {
  const key = join(scratchFolder(t), 'key.pem');
  assert.equal(readVisibility(key, WHO, AT), null);
  leaveVisibility(key, { ...WHO, hub: HUB, at: AT, visibility: SEEN });
  assert.deepEqual(readVisibility(key, WHO, AT + 60_000), { hub: HUB, visibility: SEEN });
  assert.equal(readVisibility(key, WHO, AT + 180_000), null);
  assert.equal(readVisibility(key, WHO, AT - 180_000), null, 'a clock that was set back makes nothing fresh');
  assert.equal(readVisibility(key, { ...WHO, provider_id: 'b' }, AT), null);
  assert.equal(readVisibility(key, { ...WHO, url: 'http://elsewhere' }, AT), null);
  for (const content of ['', '{', '[]', JSON.stringify({ ...WHO, hub: HUB, at: AT, visibility: {} })]) {
    writeFileSync(`${key}.visibility.json`, content);
    assert.equal(readVisibility(key, WHO, AT), null, content);
  }
  clearVisibility(key);
  clearVisibility(key);
  leaveVisibility(join(key, 'no', 'folder'), { ...WHO, hub: HUB, at: AT, visibility: SEEN });
});
