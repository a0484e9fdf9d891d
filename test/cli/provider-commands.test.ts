import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { DiscoveryClient, keyFromSeed, type Visibility, watch } from '../../src/client/node.js';
import { EXIT } from '../../src/cli/exit-codes.js';
import { freePort } from '../client/support/free-port.js';
import { HubProcess, type RunningProcess, scratchFolder } from '../process/hub-process.js';
import { NO_TERMINAL, plain, runPiped, Terminal } from './pseudo-terminal.js';

const PRICES = ['--usd-per-core', '5', '--usd-per-gb-ram', '2', '--usd-per-gb-storage', '0.1'];
const OFFER = ['--country', 'SE', '--ip', '203.0.113.7', '--cpu', '4', '--memory', '8', '--storage', '40'];

const folder = scratchFolder({ after });
let hub: HubProcess;
let settings: Record<string, string>;
before(async () => {
  // The hub is started again there, while daemons try to reach it.
  settings = { PORT: await freePort(), RATE_LIMIT_PER_MINUTE: '0' };
  hub = await HubProcess.start(folder, settings);
});

/** A command that has a key of its own, named so. */
function run(key: string, ...args: string[]): RunningProcess {
  return runPiped(args, folder, { DISCOVERY_URL: hub.url, DISCOVERY_KEY: join(folder, key) });
}

async function finish(command: RunningProcess): Promise<{ code: number | null; output: string }> {
  return { code: (await command.exited).code, output: command.output };
}

async function advertised(key: string, ...flags: string[]): Promise<RunningProcess> {
  const daemon = run(key, 'advertise', ...OFFER, ...flags);
  await daemon.wrote(/ published /);
  return daemon;
}

const listed = async (): Promise<unknown[]> =>
  (await hub.request<unknown[]>('GET', '/api/v1/advertisements')).body;

test('advertise ends at once, with the reason in full, where no hub would ever take it', async () => {
  writeFileSync(join(folder, 'no-offer.json'), '[]');
  const refusals: [string, string[], RegExp][] = [
    ['country', ['--country', 'XX'], /^country: must be an assigned ISO 3166-1 alpha-2 code/m],
    ['resource', ['--resource', 'GPU=1'], /^resources\.GPU: is not a resource name/m],
    ['file', ['--file', 'no-offer.json'], /^no-offer\.json cannot be used: it has to hold a JSON object/m],
  ];
  await Promise.all(
    refusals.map(async ([name, flags, reason]) => {
      const { code, output } = await finish(run('refused.pem', 'advertise', ...OFFER, '--notify', ...flags));
      assert.equal(code, EXIT.usage, name);
      assert.match(output, reason);
      assert.doesNotMatch(output, /live|connected/);
    }),
  );
});

test('advertise ends where the hub refuses the provider', async () => {
  const owner = await advertised('owner.pem', '--id', 'a-name', '--withdraw-on-exit');
  const { code, output } = await finish(run('thief.pem', 'advertise', ...OFFER, '--id', 'a-name'));
  assert.equal(code, EXIT.failed);
  assert.match(output, /refused: .*a-name/);
  assert.equal(await owner.stop('SIGINT'), 0);
});

test('a running daemon says that it was withdrawn elsewhere, and stays withdrawn', async () => {
  const daemon = await advertised('withdrawn.pem');
  assert.equal((await finish(run('withdrawn.pem', 'withdraw'))).code, 0);
  await daemon.wrote(/withdrawn: This machine was withdrawn elsewhere with the same key, and stays/);
  await hub.stop();
  hub = await HubProcess.start(folder, settings);
  await daemon.wrote(/connected[^]*withdrawn: [^]*connected\n[^]*withdrawn: /);
  assert.deepEqual(await listed(), []);
  assert.equal(await daemon.stop('SIGINT'), 0);
  assert.doesNotMatch(daemon.output, /stays listed/);
});

test('a daemon that another one with its key replaces has an exit status of its own, which the unit knows', async () => {
  const first = await advertised('cloned.pem');
  const second = await advertised('cloned.pem', '--withdraw-on-exit');
  assert.equal((await first.exited).code, EXIT.replaced);
  assert.match(first.output, /replaced: .*a newer session[^]*give it a key of its own/);
  assert.equal(await second.stop('SIGINT'), 0);
  const unit = readFileSync(new URL('../../../deploy/discovery-provider.service', import.meta.url), 'utf8');
  const [, statuses = ''] = /^RestartPreventExitStatus=(.*)$/m.exec(unit) ?? [];
  assert.deepEqual(statuses.split(' ').map(Number), [EXIT.usage, EXIT.replaced]);
});

test('advertise warns of what its provider most likely does not want', async () => {
  writeFileSync(join(folder, 'offer.json'), '{"price":3,"colour":"blue","ip_address":"10.1.2.3","name":"x"}');
  const flags = ['advertise', '--country', 'SE', '--withdraw-on-exit'];
  const odd = run('odd.pem', ...flags, '--file', 'offer.json', '--usd-per-core', '5');
  await odd.wrote(/ published .*; no price;/);
  for (const warning of [
    /^Warning: Without all three prices, nobody who filters by price finds this machine/m,
    /^Warning: 10\.1\.2\.3 is a private address/m,
    /^Warning: Hubs ignore price, colour in the advertisement; .* are ip_address, country,.* name,/m,
  ]) {
    assert.match(odd.output, warning);
  }
  const fine = await advertised('fine.pem', ...PRICES, '--withdraw-on-exit');
  assert.doesNotMatch(fine.output, /Warning/);
  await Promise.all([odd.stop('SIGINT'), fine.stop('SIGINT')]);
});

test('a daemon that is stopped says what becomes of the machine; --withdraw-on-exit takes it away', async () => {
  const stays = await advertised('stays.pem');
  assert.equal(await stays.stop('SIGINT'), 0);
  assert.match(
    stays.output,
    /^This machine stays listed, as suspect, for up to 5 minutes; with --withdraw-on-exit/m,
  );
  assert.match((await finish(run('stays.pem', 'status'))).output, /^visible +as suspect/m);
  const goes = await advertised('stays.pem', '--withdraw-on-exit');
  assert.equal(await goes.stop('SIGTERM'), 0);
  assert.doesNotMatch(goes.output, /stays listed/);
  assert.deepEqual(await listed(), []);
});

test('withdraw and status without a key say which file they looked for, not to make one', async () => {
  for (const command of ['withdraw', 'status']) {
    const { code, output } = await finish(run('no-such.pem', command));
    assert.equal(code, EXIT.failed, command);
    assert.match(
      output,
      /^There is no key file .*no-such\.pem\. Name the key that advertised with --key or DISCOVERY_KEY\.$/m,
    );
    assert.doesNotMatch(output, /keygen/);
  }
});

test('status shows who I am, what the hub shows of me, and where my price stands', async () => {
  const client = new DiscoveryClient(hub.url);
  for (const [seed, price] of [4, 6, 7, null].entries()) {
    const pricing =
      price === null
        ? { usd_per_core_month: 0 }
        : { usd_per_core_month: price, usd_per_gb_ram_month: 0, usd_per_gb_storage_month: 0 };
    await client.advertise(keyFromSeed(String(seed).repeat(64)), {
      ip_address: '203.0.113.9',
      country: 'NO',
      resources: { cpu: 1, memory: 1, storage: 1 },
      pricing,
    });
  }
  const made = await finish(run('mine.pem', 'keygen'));
  const id = /^[0-9a-f]{64}$/m.exec(made.output)![0];
  const again = await finish(run('mine.pem', 'keygen'));
  assert.deepEqual([again.code, again.output.includes(`\n${id}\n`)], [EXIT.failed, true]);
  const hidden = await finish(run('mine.pem', 'id'));
  assert.equal(hidden.code, EXIT.notFound);
  assert.match(hidden.output, new RegExp(`^provider +${id}\n[^]*^visible +no: `, 'm'));

  const follows = [{ country: 'NO' }, { country: 'NO', max_usd_per_month: 6 }, { cpu: 64 }].map((filter) =>
    watch(hub.url, filter),
  );
  await Promise.all(follows.map((matches) => matches.ready));
  const flags = ['--attr', 'disk=nvme', '--no-detect', '--resource', 'gpu=2'];
  const daemon = await advertised('mine.pem', '--country', 'NO', ...flags, ...PRICES);
  const note = join(folder, 'mine.pem.visibility.json');
  while (!existsSync(note)) await delay(20);
  assert.equal(statSync(note).mode & 0o777, 0o600);
  const shown = await finish(run('mine.pem', 'status'));
  assert.equal(shown.code, 0);
  for (const line of [
    new RegExp(`^provider +${id}$`, 'm'),
    /^visible +yes$/m,
    /^seen by +1 stream of 1 subscriber; more would see it: 1 but for --cpu, 1 but for --max-usd$/m,
    /^attributes +disk nvme$/m,
    /^since +\d{4}-.*Z$/m,
    /^expires +\d{4}-.*Z, unless/m,
    /^offers +203\.0\.113\.7 in NO: 4 cores, 8 GB of memory, 40 GB of disk, gpu 2$/m,
    /^price +7\.10 US dollars a month for 1 core/m,
    /^rank +4 of 4 with a price in NO; half of them ask at most 6\.00$/m,
  ]) {
    assert.match(shown.output, line);
  }
  const { output } = await finish(run('mine.pem', 'status', '--json'));
  const { advertisement, visibility, ...rest } = JSON.parse(output) as {
    advertisement: { provider_id: string };
    visibility: Visibility;
  };
  assert.equal(advertisement.provider_id, id);
  const price = { usd_per_month: 7.1, rank: 4, of: 4, p50: 6 };
  assert.deepEqual(rest, { hub: hub.url, provider_id: id, listed: true, price });
  assert.deepEqual([visibility.streams, visibility.price], [1, price]);
  await daemon.stop('SIGINT');
  assert.ok(!existsSync(note), 'nothing old is left for status');
  await Promise.all(follows.map((matches) => matches.stop()));
});

test('at 80 columns nothing is cut off: id, offer, price and reasons', { skip: NO_TERMINAL }, async () => {
  const env = { DISCOVERY_URL: hub.url, DISCOVERY_KEY: join(folder, 'terminal.pem') };
  rmSync(env.DISCOVERY_KEY, { force: true });
  const resources = ['--resource', 'gpu=2', '--resource', 'fpga=1', '--resource', 'licences=12'];
  const daemon = new Terminal(['advertise', ...OFFER, ...PRICES, ...resources], {
    columns: 80,
    cwd: folder,
    env,
  });
  await daemon.shows(/live since \d\d:\d\d:\d\d, .*\n[0-9a-f]{64} on\s+http:[^]*a month for 1 core/);
  const text = plain(daemon.screen);
  const words = (part: string): RegExp => new RegExp(part.replaceAll('.', '\\.').replaceAll(' ', '\\s+'));
  assert.match(
    text,
    words('203.0.113.7 in SE: 4 cores, 8 GB of memory, 40 GB of disk, gpu 2, fpga 1, licences 12'),
  );
  assert.match(text, words('7.10 US dollars a month for 1 core, 1 GB of memory and 1 GB of disk'));
  assert.equal((await finish(runPiped(['withdraw'], folder, env))).code, 0);
  await daemon.shows(
    words('withdrawn elsewhere with the same key, and stays withdrawn: restart this command'),
  );
  daemon.interrupt();
  assert.equal(await daemon.exitCode, 0);
  for (const line of plain(daemon.screen).split('\n')) assert.ok(line.length <= 80, line);
});
