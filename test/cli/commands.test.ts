import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Change, PublishedAdvertisement } from '../../src/client/index.js';
import { buildProgram } from '../../src/cli/program.js';
import { HubProcess, type RunningProcess, scratchFolder } from '../process/hub-process.js';
import { NO_TERMINAL, plain, runPiped, Terminal } from './pseudo-terminal.js';

const NAME = 'a-provider-with-a-rather-long-name';
const ESCAPE = '\u001b';

interface World {
  hub: HubProcess;
  folder: string;
  env: NodeJS.ProcessEnv;
  run: (...args: string[]) => RunningProcess;
}

async function world(t: TestContext, settings: Record<string, string> = {}): Promise<World> {
  const folder = scratchFolder(t);
  const hub = await HubProcess.start(folder, settings);
  t.after(() => hub.kill());
  const env = { DISCOVERY_URL: hub.url, DISCOVERY_KEY: join(folder, 'key.pem') };
  return { hub, folder, env, run: (...args) => runPiped(args, folder, env) };
}

/** Runs a command to its end. */
async function finish(command: RunningProcess): Promise<{ code: number | null; output: string }> {
  return { code: (await command.exited).code, output: command.output };
}

async function advertised({ run }: World, ...flags: string[]): Promise<RunningProcess> {
  const daemon = run('advertise', '--country', 'SE', '--id', NAME, ...flags);
  await daemon.wrote(/published /);
  return daemon;
}

test('advertise, list, get and withdraw work through a pipe: log lines, plain tables, JSON, exit codes', async (t) => {
  const here = await world(t);
  const { run, folder } = here;
  writeFileSync(
    join(folder, 'offer.json'),
    '{"resources":{"cpu":8,"memory":32,"storage":500},"name":"from the file"}',
  );
  const daemon = await advertised(
    here,
    '--file',
    'offer.json',
    '--cpu',
    '4',
    '--resource',
    'gpu=2',
    '--usd-per-core',
    '5',
    '--usd-per-gb-ram',
    '2',
    '--usd-per-gb-storage',
    '0.1',
  );
  assert.equal(statSync(join(folder, 'key.pem')).mode & 0o777, 0o600);
  assert.ok(!daemon.output.includes(ESCAPE));

  const table = await finish(run('list', '--cpu', '2', '--memory', '4', '--storage', '20'));
  assert.equal(table.code, 0);
  assert.match(table.output, /PROVIDER .*USD\/MONTH/);
  assert.match(table.output, new RegExp(`${NAME} .*from the file .*SE .* 4 .*32 .*500 .*20\\.00 .*live`));
  assert.ok(!table.output.includes(ESCAPE), 'no colours in a pipe');

  const json = await finish(run('list', '--json', '--country', 'SE,NO'));
  const [listed] = JSON.parse(json.output) as PublishedAdvertisement[];
  assert.deepEqual(listed?.resources, { cpu: 4, memory: 32, storage: 500, gpu: 2 });
  assert.equal(
    (await finish(run('list', '--country', 'NO'))).output,
    'No provider matches.\n1 more without --country NO.\n',
  );

  const got = await finish(run('get', NAME));
  assert.deepEqual([got.code, /Verified: signed by [0-9a-f]{64}/.test(got.output)], [0, true]);
  assert.equal((await finish(run('get', 'nobody'))).code, 3);

  assert.equal(await daemon.stop('SIGINT'), 0);
  assert.equal((await finish(run('withdraw', '--id', NAME))).code, 0);
  assert.equal((await finish(run('withdraw', '--id', NAME))).code, 3);
});

test('a wrong command line, a refusal and an unreachable hub have exit codes of their own, and messages that help', async (t) => {
  const { run, folder } = await world(t);
  const unknown = await finish(run('list', '--colour', 'red'));
  assert.deepEqual([unknown.code, unknown.output.includes("unknown option '--colour'")], [2, true]);
  assert.equal((await finish(run('list', '--cpu', 'many'))).code, 2);
  const mistyped = await finish(run('lst'));
  assert.deepEqual([mistyped.code, mistyped.output.includes('Did you mean list?')], [2, true]);
  const refused = await finish(run('list', '--country', 'XX'));
  assert.deepEqual([refused.code, /--country.*ISO 3166-1/.test(refused.output)], [2, true]);
  assert.equal((await finish(run('list', '--cpu', '0'))).code, 2);
  const nowhere = await finish(runPiped(['list', '--url', 'http://127.0.0.1:9'], folder));
  assert.deepEqual([nowhere.code, nowhere.output.includes('could not be reached')], [4, true]);
  const noCountry = await finish(run('advertise'));
  assert.deepEqual([noCountry.code, noCountry.output.includes('--country')], [2, true]);
});

test('every command explains itself with an example', async (t) => {
  for (const command of buildProgram().commands) {
    let output = '';
    command.configureOutput({ writeOut: (text) => void (output += text) });
    command.outputHelp();
    assert.match(output, /Usage: .*\n/);
    assert.match(output, new RegExp(`Example:\\n +.*discovery-hub ${command.name()}`));
  }
  const { code, output } = await finish(runPiped(['list', '--help'], scratchFolder(t)));
  assert.equal(code, 0);
  assert.match(output, /Usage: .*\n[^]*Example:\n +.*discovery-hub list/);
});

test('keygen never overwrites a key', async (t) => {
  const folder = scratchFolder(t);
  const first = await finish(runPiped(['keygen', '--key', 'mine.pem'], folder));
  assert.match(first.output, /^[0-9a-f]{64}$/m);
  assert.equal((await finish(runPiped(['keygen', '--key', 'mine.pem'], folder))).code, 1);
});

test('an Ethereum account advertises, is shown as its address, and is taken by lower-case ids and other forms of its key', async (t) => {
  const { run, folder, hub } = await world(t);
  const path = join(folder, 'account.hex');
  const made = await finish(run('keygen', '--ethereum', '--key', path));
  const address = /^0x[0-9a-fA-F]{40}$/m.exec(made.output)?.[0] ?? '';
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const secret = readFileSync(path, 'utf8');
  assert.match(secret, /^[0-9a-f]{64}\n$/);
  assert.equal((await finish(run('keygen', '--ethereum', '--key', path))).code, 1);

  const daemon = run('advertise', '--country', 'SE', '--key', path);
  await daemon.wrote(new RegExp(`published ${address}: `));
  assert.match((await finish(run('list'))).output, new RegExp(`^${address} `, 'm'));
  const got = await finish(run('get', address.toLowerCase()));
  assert.deepEqual(
    [got.code, got.output.includes(`signed by the Ethereum account ${address} at`)],
    [0, true],
  );
  assert.equal(await daemon.stop('SIGINT'), 0);

  const old = join(folder, 'account.json');
  const account = { address: address.toLowerCase(), private_key: `0x${secret.trim()}` };
  writeFileSync(old, JSON.stringify(account), { mode: 0o600 });
  const withdrawn = await finish(run('withdraw', '--key', old));
  assert.deepEqual([withdrawn.code, withdrawn.output], [0, `Withdrew ${address}.\n`]);
  assert.deepEqual((await hub.request('GET', '/api/v1/advertisements')).body, []);
  const named = await finish(run('withdraw', '--key', path, '--id', 'a-name'));
  assert.deepEqual([named.code, named.output.includes('cannot speak for a-name')], [1, true]);
});

test('doctor goes step by step, and says what to fix', async (t) => {
  const { run, hub } = await world(t);
  const well = await finish(run('doctor', hub.url));
  assert.equal(well.code, 0, well.output);
  for (const step of ['reachable', 'healthy', 'clock', 'handshake', 'host binding', 'round trip']) {
    assert.match(well.output, new RegExp(`^✓ ${step}: `, 'm'));
  }
  assert.deepEqual((await hub.request('GET', '/api/v1/advertisements')).body, [], 'nothing was advertised');
  const down = await finish(run('doctor', 'http://127.0.0.1:9'));
  assert.deepEqual([down.code, /^✗ reachable: .*\n +Check the address/m.test(down.output)], [1, true]);
});

test('doctor finds a hub that does not know what it is reached as', async (t) => {
  const { run, hub } = await world(t, { PUBLIC_HOSTS: 'hub.example.org' });
  const { code, output } = await finish(run('doctor', hub.url));
  assert.equal(code, 1);
  assert.match(output, /✗ host binding: .*hub\.example\.org.*\n +.*DISCOVERY_PUBLIC_HOSTS/);
});

test('no colours go into a pipe, whatever CI and FORCE_COLOR say', async (t) => {
  const { folder, hub } = await world(t);
  const run = runPiped(['doctor', hub.url], folder, { CI: 'true', FORCE_COLOR: '1' });
  const { code, output } = await finish(run);
  assert.equal(code, 0, output);
  assert.ok(!output.includes(ESCAPE), output);
});

test('watch writes one JSON object a line into a pipe', async (t) => {
  const here = await world(t);
  const watching = here.run('watch', '--cpu', '1');
  const daemon = await advertised(here);
  await watching.wrote(/"type":"added"/);
  await daemon.kill();
  await watching.wrote(/"status":"suspect".*"previous"/);
  assert.equal((await finish(here.run('withdraw', '--id', NAME))).code, 0);
  await watching.wrote(/"type":"removed"/);
  assert.equal(await watching.stop('SIGINT'), 0);
  const changes = watching.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Change);
  assert.deepEqual(
    changes.map(({ type }) => type),
    ['added', 'updated', 'removed'],
  );
});

for (const columns of [80, 200]) {
  test(`on a terminal of ${columns} columns nothing is wider than it`, { skip: NO_TERMINAL }, async (t) => {
    const here = await world(t, { HEARTBEAT_SECONDS: '0.5' });
    const { folder, env } = here;
    const daemon = new Terminal(['advertise', '--country', 'SE', '--name', 'Göteborg'], {
      columns,
      cwd: folder,
      env,
    });
    await daemon.shows(/live since \d\d:\d\d:\d\d, [2-9] heartbeats/);
    assert.ok(daemon.screen.includes(`${ESCAPE}[32m`), 'the status line is green');

    const list = new Terminal(['list', '--cpu', '1'], { columns, cwd: folder, env });
    assert.equal(await list.exitCode, 0);
    assertFits(list, columns);
    assert.equal(/[0-9a-f]{64}/.test(list.screen), columns === 200, 'ids are cut only where they have to be');

    const watching = new Terminal(['watch'], { columns, cwd: folder, env });
    await watching.shows(/^\+ [0-9a-f]/m);
    daemon.interrupt();
    assert.equal(await daemon.exitCode, 0);
    await watching.shows(/^~ .*suspect/m);
    assert.equal((await finish(here.run('withdraw'))).code, 0);
    await watching.shows(/^- [0-9a-f]/m);
    watching.interrupt();
    assert.equal(await watching.exitCode, 0);
    assertFits(watching, columns);
    assertFits(daemon, columns);
    assert.ok(watching.screen.endsWith(`${ESCAPE}[?25h`), 'the cursor is back');
  });
}

test('NO_COLOR turns colours off on a terminal', { skip: NO_TERMINAL }, async (t) => {
  const here = await world(t);
  const daemon = await advertised(here);
  const list = new Terminal(['list'], { columns: 80, cwd: here.folder, env: { ...here.env, NO_COLOR: '1' } });
  assert.equal(await list.exitCode, 0);
  assert.ok(!list.screen.includes(`${ESCAPE}[3`));
  await daemon.stop();
});

function assertFits(terminal: Terminal, columns: number): void {
  for (const line of plain(terminal.screen).split('\n')) {
    const width = Array.from(line).length;
    assert.ok(width <= columns, `${width} columns: ${line}`);
  }
}
