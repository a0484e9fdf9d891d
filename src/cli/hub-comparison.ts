import { setTimeout as wait } from 'node:timers/promises';
import { DiscoveryClient } from '../client/node.js';
import { type Cursor, parseCursor } from '../protocol/cursor.js';
import type { Finding } from './examination.js';

/** How long a hub may take to catch up with the others, and from when to warn, in milliseconds. */
const PATIENCE_MS = 5000;
const NOTABLE_MS = 1000;
/** Milliseconds between two checks. */
const LOOK_MS = 20;

const ONE_STORE =
  'Hubs are one where DISCOVERY_ETCD_ENDPOINTS and DISCOVERY_ETCD_PREFIX name the same store: give the addresses of such hubs only, or set these alike.';
const BEHIND =
  'It does not follow the store: see /health and discovery_store_… in /metrics there, and "discovery-hub cluster".';

interface Position {
  url: string;
  client: DiscoveryClient;
  cursor: Cursor;
}

/**
 * Checks whether hubs act as one, which their epoch tells, and how far apart they are: how long each takes to catch up with the one that is
 * furthest ahead now.
 * @param urls At least two.
 */
export async function* compareHubs(urls: readonly string[]): AsyncGenerator<Finding, void, undefined> {
  let positions: Position[];
  try {
    positions = await Promise.all(
      urls.map(async (url) => {
        const client = new DiscoveryClient(url, { timeoutMs: PATIENCE_MS });
        return { url, client, cursor: await cursorOf(client) };
      }),
    );
  } catch (error) {
    yield { step: 'one hub', outcome: 'failed', detail: (error as Error).message };
    return;
  }
  const [first] = positions;
  const strangers = positions.filter(({ cursor }) => cursor.epoch !== first!.cursor.epoch);
  if (strangers.length > 0) {
    const names = strangers.map(({ url, cursor }) => `${url} (epoch ${cursor.epoch})`).join(', ');
    const detail = `not of the hub at ${first!.url} (epoch ${first!.cursor.epoch}): ${names}`;
    yield { step: 'one hub', outcome: 'failed', detail, fix: ONE_STORE };
    return;
  }
  const { epoch } = first!.cursor;
  yield { step: 'one hub', outcome: 'ok', detail: `${String(urls.length)} doors of it, epoch ${epoch}` };
  const target = Math.max(...positions.map(({ cursor }) => cursor.seq));
  for (const finding of await Promise.all(positions.map((one) => measureLag(one, target)))) yield finding;
}

async function measureLag({ url, client, cursor }: Position, target: number): Promise<Finding> {
  const step = 'lag';
  const begun = performance.now();
  const behind = target - cursor.seq;
  let { seq } = cursor;
  while (seq < target) {
    if (performance.now() - begun > PATIENCE_MS) {
      const detail = `${url} is ${String(target - seq)} changes behind, and stays so`;
      return { step, outcome: 'failed', detail, fix: BEHIND };
    }
    await wait(LOOK_MS);
    try {
      ({ seq } = await cursorOf(client));
    } catch (error) {
      return { step, outcome: 'failed', detail: `${url}: ${(error as Error).message}`, fix: BEHIND };
    }
  }
  if (behind === 0) return { step, outcome: 'ok', detail: `${url}: none` };
  const tookMs = performance.now() - begun;
  const detail = `${url}: ${String(behind)} changes, made up in ${tookMs.toFixed(0)} ms`;
  return { step, outcome: tookMs > NOTABLE_MS ? 'warning' : 'ok', detail };
}

/** A hub's current point in its stream of changes. */
async function cursorOf(client: DiscoveryClient): Promise<Cursor> {
  const page = await client.pages({}, { pageSize: 1 }).next();
  const cursor = page.done === true ? null : parseCursor(page.value.cursor);
  if (cursor === null) throw new Error('a list came without a cursor: a proxy seems to modify responses');
  return cursor;
}
