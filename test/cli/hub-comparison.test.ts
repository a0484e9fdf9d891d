import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { compareHubs } from '../../src/cli/hub-comparison.js';
import type { Finding } from '../../src/cli/examination.js';

/** A hub with an empty list, whose cursors are these, one after the other; the last one stays. */
async function hubAt(t: TestContext, ...cursors: string[]): Promise<string> {
  const server = createServer((_request, response) => {
    const cursor = cursors.length > 1 ? cursors.shift()! : cursors[0]!;
    response.setHeader('X-Discovery-Cursor', cursor).end('[]');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

async function findings(urls: readonly string[]): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const finding of compareHubs(urls)) found.push(finding);
  return found;
}

test('hubs of one epoch are one, and what one of them is behind is measured', async (t) => {
  const urls = [await hubAt(t, 'e1:9'), await hubAt(t, 'e1:5', 'e1:7', 'e1:9'), await hubAt(t, 'e1:9')];
  const [kin, ...lags] = await findings(urls);
  assert.deepEqual([kin!.step, kin!.outcome], ['one hub', 'ok']);
  assert.match(kin!.detail, /^3 doors .* epoch e1$/);
  assert.deepEqual(
    lags.map(({ step, outcome }) => [step, outcome]),
    Array(3).fill(['lag', 'ok']),
  );
  assert.equal(lags[0]!.detail, `${urls[0]!}: none`);
  assert.match(lags[1]!.detail, /: 4 changes, made up in \d+ ms$/);
});

test('a hub of another epoch is named, with what makes hubs one', async (t) => {
  const urls = [await hubAt(t, 'e1:9'), await hubAt(t, 'e1:9'), await hubAt(t, 'e2:9')];
  const found = await findings(urls);
  assert.equal(found.length, 1);
  const [{ outcome, detail, fix }] = found as [Finding];
  assert.equal(outcome, 'failed');
  assert.ok(detail.includes(`${urls[2]!} (epoch e2)`) && !detail.includes(urls[1]!));
  assert.match(fix!, /DISCOVERY_ETCD_ENDPOINTS/);
});

test('an answer without a cursor is not taken for one', async (t) => {
  const [{ outcome, detail }] = (await findings([await hubAt(t, 'e1:9'), await hubAt(t, 'none')])) as [
    Finding,
  ];
  assert.equal(outcome, 'failed');
  assert.match(detail, /without a cursor/);
});
