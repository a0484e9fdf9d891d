import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Change, PublishedAdvertisement } from '../../src/client/index.js';
import { watch } from '../../src/client/node.js';
import { HubProcess, RunningProcess, scratchFolder } from './hub-process.js';

const EXAMPLES = fileURLToPath(new URL('../../../examples', import.meta.url));

function runExample(
  folder: string,
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): RunningProcess {
  const program = join(EXAMPLES, path);
  const isScript = path.endsWith('.js');
  return new RunningProcess(isScript ? process.execPath : program, isScript ? [program, ...args] : args, {
    cwd: folder,
    env: { ...process.env, ...env },
  });
}

test('a provider shows up at once, turns suspect when killed, comes back live, and goes when its time is up', async (t) => {
  const folder = scratchFolder(t);
  const hub = await HubProcess.start(folder, { ADVERTISEMENT_EXPIRY_SECONDS: '4', HEARTBEAT_SECONDS: '1' });
  const matches = watch(hub.url, { cpu: 1 });
  const changes = matches[Symbol.asyncIterator]();
  const next = async (): Promise<Change> => (await changes.next()).value!;
  const listed = async (): Promise<PublishedAdvertisement[]> =>
    (await hub.request<PublishedAdvertisement[]>('GET', '/api/v1/advertisements?cpu=1')).body;

  const first = runExample(folder, 'provider/provider.js', [hub.url, 'SE', 'key.pem']);
  const added = await next();
  assert.equal(added.type, 'added');
  assert.equal(added.advertisement.status, 'live');
  assert.equal(added.advertisement.resources.cpu, availableParallelism());
  assert.equal(added.advertisement.resources.memory, Math.floor(totalmem() / 1024 ** 3));
  assert.deepEqual(
    (await listed()).map(({ provider_id }) => provider_id),
    [added.advertisement.provider_id],
  );

  await first.kill();
  const suspect = await next();
  assert.deepEqual([suspect.type, suspect.advertisement.status], ['updated', 'suspect']);

  const second = runExample(folder, 'provider/provider.js', [hub.url, 'SE', 'key.pem']);
  const back = await next();
  assert.deepEqual([back.type, back.advertisement.status], ['updated', 'live']);
  assert.equal(back.advertisement.provider_id, added.advertisement.provider_id, 'the key was kept');

  assert.equal(await second.stop(), 0);
  assert.equal((await next()).advertisement.status, 'suspect');
  const [last] = await listed();
  const gone = await next();
  assert.deepEqual([gone.type, gone.type === 'removed' && gone.reason], ['removed', 'expired']);
  const late = Date.now() - Date.parse(last!.updated_at) - 4000;
  assert.ok(late > -1000 && late < 3000, `it went ${String(late)} ms after its time`);
  assert.deepEqual(await listed(), []);
  await matches.stop();
  assert.equal(await hub.stop(), 0);
});

test('the watch example writes each change as a line of JSON', async (t) => {
  const folder = scratchFolder(t);
  const hub = await HubProcess.start(folder);
  const watching = runExample(folder, 'watch/watch.js', [hub.url, '{"country":["SE"]}']);
  await watching.wrote(/^live/m);
  const provider = runExample(folder, 'provider/provider.js', [hub.url, 'SE', 'key.pem']);
  await watching.wrote(/^\{"type":"added".*"country":"SE"/m);
  await provider.kill();
  await watching.wrote(/^\{"type":"updated".*"status":"suspect"/m);
  assert.equal(await watching.stop('SIGINT'), 0);
  assert.equal(await hub.stop(), 0);
});

test('the plain client makes a key, advertises, lists and withdraws with curl and openssl alone', async (t) => {
  const folder = scratchFolder(t);
  const hub = await HubProcess.start(folder);
  const client = runExample(folder, 'plain-client/plain-client.sh', [], { URL: hub.url, KEY: 'key.pem' });
  assert.equal((await client.exited).code, 0, client.output);
  assert.match(client.output, /"verified":true/);
  assert.match(client.output, /^\[\{"provider_id"/m);
  assert.match(client.output, /\{"status":"success"\}/);
  assert.match(readFileSync(join(folder, 'key.pem'), 'utf8'), /BEGIN PRIVATE KEY/);
  assert.deepEqual((await hub.request('GET', '/api/v1/advertisements')).body, []);
  assert.equal(await hub.stop(), 0);
});

test('in the market, a lower price outranks an Ethereum account, which is told why', async (t) => {
  const folder = scratchFolder(t);
  const hub = await HubProcess.start(folder);
  const market = runExample(folder, 'market/market.js', [hub.url]);
  assert.equal((await market.exited).code, 0, market.output);
  assert.deepEqual(
    market.output
      .replace(/0x[0-9a-fA-F]{40}/, '0x…')
      .trim()
      .split('\n'),
    [
      'the Ethereum account is 0x…',
      'the cheapest two: RTX 3090 for 42.00, RTX 4090 for 50.00',
      'the A100 costs less now',
      'outranked: RTX 4090 for 50.00',
      'the cheapest two: A100 for 26.00, RTX 3090 for 42.00',
      'why: max_usd_per_month is 42, and it asks 50',
      '2 match that',
      'without that it is number 3 of 3 by price',
      'the market: A100, RTX 3090, RTX 4090; half ask at most 42',
      'streams that see it: 0',
    ],
  );
  assert.deepEqual((await hub.request('GET', '/api/v1/advertisements')).body, []);
  assert.equal(await hub.stop(), 0);
});
