import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import stringWidth from 'string-width';
import {
  DiscoveryClient,
  generateKey,
  type KeyPair,
  type PublishedAdvertisement,
} from '../../src/client/node.js';
import { HubProcess, type RunningProcess, scratchFolder } from '../process/hub-process.js';
import { NO_TERMINAL, plain, runPiped, Terminal } from './pseudo-terminal.js';

const folder = scratchFolder({ after });
const settings = join(folder, 'settings');
/** Neither the settings nor the contexts of whoever runs the tests. */
const CLEAN = { XDG_CONFIG_HOME: settings, DISCOVERY_URL: '', DISCOVERY_KEY: '' };
let hub: HubProcess;
let client: DiscoveryClient;
const keys = new Map<string, KeyPair>();

async function advertise(name: string, price: number): Promise<void> {
  const key = keys.get(name) ?? generateKey();
  keys.set(name, key);
  await client.advertise(
    key,
    {
      ip_address: '203.0.113.200',
      country: 'SE',
      resources: { cpu: 4, memory: 8, storage: 40, gpu: 2 },
      name,
      pricing: { usd_per_core_month: price, usd_per_gb_ram_month: 0, usd_per_gb_storage_month: 0 },
    },
    { providerId: name },
  );
}

before(async () => {
  hub = await HubProcess.start(folder);
  client = new DiscoveryClient(hub.url);
  await advertise('eu-north-1.datacenter.host-0042', 3);
  await advertise('eu-north-1.datacenter.host-0043', 2);
  await advertise('other', 1);
  // Every command below finds the hub here.
  mkdirSync(join(folder, 'work'));
  writeFileSync(join(folder, 'work', '.env'), `GOLEM_DISCOVERY_URL=${hub.url}\n`);
});
after(() => hub.kill());

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningProcess =>
  runPiped(args, join(folder, 'work'), { ...CLEAN, ...env });

async function finish(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<[number | null, string]> {
  const command = run(args, env);
  const { code } = await command.exited;
  return [code, command.output];
}

test('a list is written as CSV, as ids, or with the columns that were asked for', async () => {
  assert.deepEqual(
    await finish([
      'list',
      '-o',
      'csv',
      '--columns',
      'usd,id',
      '--cpu',
      '2',
      '--sort',
      'price',
      '--limit',
      '2',
    ]),
    [0, 'usd,id\n2,other\n4,eu-north-1.datacenter.host-0043\n'],
  );
  assert.deepEqual(await finish(['list', '-o', 'id', '--sort', 'price', '--limit', '1']), [0, 'other\n']);
  const [code, output] = await finish(['list', '--columns', 'id,colour']);
  assert.deepEqual([code, output.includes('no column "colour"; there are id, name')], [2, true]);
});

test('a provider is found by as much of its id as tells it from others, or as a table shows it', async () => {
  const [code, output] = await finish(['get', 'eu-nor…t-0042']);
  assert.equal(code, 0, output);
  assert.match(output, /"provider_id": "eu-north-1.datacenter.host-0042"[^]*Verified/);
  assert.equal((await finish(['get', 'oth']))[0], 0);
  const [several, message] = await finish(['get', 'eu-']);
  assert.deepEqual([several, /several providers .*host-0042, .*host-0043/.test(message)], [2, true]);
  assert.equal((await finish(['get', 'nobody']))[0], 3);
});

test('at 80 columns a list has addresses, prices and whole lines', { skip: NO_TERMINAL }, async () => {
  const list = new Terminal(['list'], { columns: 80, cwd: join(folder, 'work'), env: CLEAN });
  assert.equal(await list.exitCode, 0);
  const lines = plain(list.screen).trimEnd().split('\n');
  assert.match(lines[0]!, /^PROVIDER +ADDRESS .*USD 1\/1\/1 +STATUS +SEEN$/);
  assert.match(lines[1]!, /203\.0\.113\.200 .* 3\.00 +live +\d+s$/);
  for (const line of lines) assert.ok(stringWidth(line) <= 80, line);
});

test('explain says which conditions leave providers out, and what one of them misses; market sums up', async () => {
  const [all, one, hint, market] = await Promise.all([
    finish(['explain', '--cpu', '8', '--max-usd', '2.5', '-o', 'csv']),
    finish(['explain', 'eu-nor…t-0042', '--gpu', '1', '--max-usd', '2.5']),
    finish(['list', '--max-usd', '0.5']),
    finish(['market', '--by', 'platform', '--cpu', '2', '-o', 'csv']),
  ]);
  assert.deepEqual(all, [0, 'condition,rejected,alone\ncpu,3,0\nmax_usd_per_month,3,0\n']);
  assert.deepEqual(one, [
    0,
    'eu-north-1.datacenter.host-0042 misses 1 condition; 2 providers match.\n\nMISSES         BUT\n--max-usd 2.5  has 3\n',
  ]);
  assert.deepEqual(hint, [0, 'No provider matches.\n3 more with --max-usd 3.\n']);
  assert.deepEqual(market, [
    0,
    'key,providers,live,cpu,memory,storage,priced,min,p25,p50,p75,max\n,3,3,12,24,120,3,2,2,4,6,6\n',
  ]);
  const [unknown, message] = await finish(['market', '--by', 'colour']);
  assert.deepEqual([unknown, message.includes('country, platform or attr.<name>')], [2, true]);
});

test(
  'at 80 columns a market has its bars, and an explanation whole lines',
  { skip: NO_TERMINAL },
  async () => {
    const show = async (...args: string[]): Promise<string> => {
      const terminal = new Terminal(args, { columns: 80, cwd: join(folder, 'work'), env: CLEAN });
      assert.equal(await terminal.exitCode, 0);
      const text = plain(terminal.screen);
      for (const line of text.split('\n')) assert.ok(stringWidth(line) <= 80, line);
      return text;
    };
    const [market, explained] = await Promise.all([
      show('market', '--by', 'country'),
      show('explain', '--country', 'NO', '--attr', 'gpu_model=RTX 4090'),
    ]);
    assert.match(market, /^SE +3 +█{12} +3 .* 1\.00 +2\.00 +3\.00\nall +3 /m);
    assert.match(explained, /^0 of 3 providers match\.$/m);
    assert.match(explained, /^--country NO +3 +█{12} +0$/m);
    assert.match(explained, /^other +--country NO \(has SE\), --attr gpu_model="RTX 4090" \(has none\)$/m);
  },
);

test('a watch with a limit is a live ranking, and says who was pushed out', async () => {
  const watching = run(['watch', '--sort', 'price', '--limit', '2']);
  await watching.wrote(/"type":"added".*host-0043/);
  await advertise('eu-north-1.datacenter.host-0042', 0.5);
  await watching.wrote(/"type":"added".*host-0042/);
  await client.withdraw(keys.get('other')!, 'other');
  await watching.wrote(/"type":"removed".*"reason":"withdrawn"/);
  await watching.wrote(/host-0043[^]*host-0043[^]*host-0043/);
  assert.equal(await watching.stop('SIGINT'), 0);
  const seen = watching.output
    .trim()
    .split('\n')
    .map(
      (line) => JSON.parse(line) as { type: string; advertisement: PublishedAdvertisement; reason?: string },
    )
    .map(({ type, advertisement, reason }) =>
      [type, advertisement.provider_id.slice(-4), reason ?? ''].join(' '),
    );
  assert.deepEqual(seen, [
    'added ther ',
    'added 0043 ',
    'removed 0043 outranked',
    'added 0042 ',
    'removed ther withdrawn',
    'added 0043 ',
  ]);
});

test('a hub comes from the flag, the environment, .env, or a context, in this order', async () => {
  const nowhere = 'http://127.0.0.1:9';
  const list = async (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> => {
    const [code, output] = await finish(['list', '-o', 'id', '--limit', '1', ...args], env);
    return code === 0 ? 'the hub' : output.trim();
  };
  const of = (port: number): RegExp => new RegExp(`:${port} could not be reached`);
  assert.deepEqual(await finish(['context', 'add', 'away', '--url', nowhere, '--key', 'some.pem']), [
    0,
    'Added away, the current context.\n',
  ]);
  assert.equal((await finish(['context', 'add', 'home', '--url', hub.url]))[0], 0);
  const file = join(settings, 'discovery-hub', 'contexts.json');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(
    (JSON.parse(readFileSync(file, 'utf8')) as { contexts: { away: { key: string } } }).contexts.away.key,
    join(folder, 'work', 'some.pem'),
  );
  assert.equal(await list([]), 'the hub', '.env goes before the current context');
  assert.match(await list([], { DISCOVERY_URL: 'http://127.0.0.1:7' }), of(7));
  assert.match(await list(['--context', 'away']), of(9));
  assert.match(await list(['--context', 'away', '--url', 'http://127.0.0.1:11']), of(11));
  writeFileSync(join(folder, 'work', '.env'), '');
  assert.match(await list([]), of(9));
  assert.deepEqual(await finish(['context', 'use', 'home']), [0, 'home is the current context now.\n']);
  assert.equal(await list([]), 'the hub');
  const [unknown, message] = await finish(['list', '--context', 'prod']);
  assert.deepEqual([unknown, message], [2, 'There is no context "prod": there are away, home.\n']);
  const [refused] = await finish(['context', 'add', 'bad', '--url', hub.url, '--key', 'ab'.repeat(32)]);
  assert.equal(refused, 2, 'a key itself is not kept');
  assert.equal((await finish(['context', 'remove', 'away']))[0], 0);
  assert.match((await finish(['context', 'list']))[1], /^ {2}NAME +HUB +KEY\n\* home +http:\S+\n$/);
});

test('doctor names one cause: a clock that is off, or a limit, is not blamed on the proxy as well', async (t) => {
  const server = createServer((request, response) => {
    const now = Date.now() + (request.url === '/health' && skewed ? 3_600_000 : 0);
    response.setHeader('Date', new Date(now).toUTCString());
    response.end('{"status":"healthy"}');
  });
  let skewed = true;
  server.on('upgrade', (_request, socket) => {
    const body = '{"code":"RATE_001","message":"too many requests","timestamp":"2026-01-01T00:00:00.000Z"}';
    socket.end(
      `HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const env = { DISCOVERY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  const findings = async (): Promise<{ step: string; outcome: string; fix?: string }[]> => {
    const [code, output] = await finish(['doctor', '--json'], env);
    assert.equal(code, 1, output);
    const { ok, findings: found } = JSON.parse(output) as {
      ok: boolean;
      findings: { step: string; outcome: string }[];
    };
    assert.equal(ok, false);
    return found;
  };
  const late = await findings();
  assert.deepEqual(
    late.filter(({ outcome }) => outcome !== 'ok').map(({ step }) => step),
    ['clock'],
  );
  skewed = false;
  const limited = await findings();
  assert.deepEqual(
    limited.filter(({ outcome }) => outcome !== 'ok').map(({ step }) => step),
    ['limits'],
  );
  assert.match(limited.at(-1)!.fix ?? '', /wait for 7 s/);
});
