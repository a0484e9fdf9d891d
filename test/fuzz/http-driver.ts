import assert from 'node:assert/strict';
import fc from '../support/properties.js';
import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import { RawClient } from '../support/clients/raw-http.js';
import type { FuzzHub } from './fuzz-hub.js';
import { assertAnswer } from './http-oracle.js';
import { byteMutation, type ByteMutation, mutateBytes, splice } from './mutations.js';
import { inParallel } from './parallel.js';
import {
  buildRequest,
  type BuiltRequest,
  isHonestRequest,
  type RequestItem,
  requestItem,
} from './requests.js';
import type { Speaker } from './speaker.js';

/** Requests that share a connection, and are sent before their answers have come. */
export const requestScenario = fc.array(fc.array(requestItem, { minLength: 1, maxLength: 60, size: 'max' }), {
  minLength: 1,
  maxLength: 12,
  size: 'max',
});

/** Bytes that were requests once. */
interface Wreck {
  items: RequestItem[];
  bytes: ByteMutation[];
  spliced: number | null;
}

/** Connections on which damaged requests are sent, and then nothing more. */
export const wreckScenario: fc.Arbitrary<Wreck[]> = fc.array(
  fc.record(
    {
      // Where the answer to a HEAD request ends could not be told once it is damaged.
      items: fc.array(
        requestItem.map((one) => (one.method === 'HEAD' ? { ...one, method: 'OPTIONS' } : one)),
        { minLength: 1, maxLength: 2 },
      ),
      bytes: fc.array(byteMutation, { minLength: 1, maxLength: 4 }),
      spliced: fc.option(fc.nat(4096), { freq: 5 }),
    },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
);

/** Requests that may be on their way at the same time. */
const WINDOW = 16;

interface Sent {
  item: RequestItem;
  request: BuiltRequest;
}

/** Sends requests over as few connections as the hub allows, and checks every answer. */
async function converse(hub: FuzzHub, items: readonly RequestItem[], speaker: Speaker): Promise<void> {
  let client = await RawClient.open(hub.process.port);
  let window: Sent[] = [];
  const flush = async (): Promise<void> => {
    await client.write(Buffer.concat(window.map(({ request }) => request.bytes)));
    let isOver = false;
    for (const { item, request } of window) {
      const answer = await client.answer(request.method === 'HEAD');
      assert.ok(answer !== null, `no answer to ${request.bytes.toString('latin1').slice(0, 1500)}`);
      assertAnswer(answer, request.method, hub.transport, true);
      isOver ||= answer.headers.get('connection') === 'close';
      if (!isHonestRequest(item)) continue;
      assert.equal(answer.status, 200, answer.body);
      const said = JSON.parse(answer.body) as PublishedAdvertisement | PublishedAdvertisement[];
      if (item.route === 'list') assert.ok(Array.isArray(said));
      else assert.equal((said as PublishedAdvertisement).provider_id, speaker.id);
    }
    window = [];
    if (!isOver) return;
    client.close();
    client = await RawClient.open(hub.process.port);
  };
  for (const item of items) {
    const request = buildRequest(item, speaker);
    window.push({ item, request });
    // What comes behind one that is answered later cuts the connection on one of the transports.
    if (request.isLater || window.length === WINDOW) await flush();
  }
  if (window.length > 0) await flush();
  client.close();
}

/** @returns How many requests that were. */
export async function runRequests(hub: FuzzHub, lines: readonly RequestItem[][]): Promise<number> {
  await inParallel(lines.map((items, index) => () => converse(hub, items, hub.speakers[index]!)));
  return lines.reduce((sum, items) => sum + items.length, 0);
}

async function crash(hub: FuzzHub, { items, bytes, spliced }: Wreck, speaker: Speaker): Promise<void> {
  const whole = items.map((item) => buildRequest(item, speaker).bytes);
  const joined = spliced === null ? Buffer.concat(whole) : splice(whole[0]!, whole.at(-1)!, spliced);
  const client = await RawClient.open(hub.process.port);
  await client.write(mutateBytes(joined, bytes));
  client.end();
  for (;;) {
    const answer = await client.answer();
    if (answer === null) break;
    assertAnswer(answer, 'GET', hub.transport, false);
  }
  client.close();
}

/** @returns How many requests that were, before they were damaged. */
export async function runWrecks(hub: FuzzHub, wrecks: readonly Wreck[]): Promise<number> {
  const speakers = hub.speakers;
  await inParallel(wrecks.map((wreck, index) => () => crash(hub, wreck, speakers[index % speakers.length]!)));
  return wrecks.reduce((sum, { items }) => sum + items.length, 0);
}
