import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type SETTINGS } from '../src/settings.js';
import { PROGRAM } from './support/hubs/program.js';

import { envFile, folder, load, PER_ADDRESS, refusal } from './support/settings.js';

const NUMBERS = [
  '',
  'x',
  '-1',
  '+1',
  '1e3',
  '0x10',
  'NaN',
  'Infinity',
  '1,5',
  '12 34',
  '99999999999',
  '١',
].slice(1);

const BAD: Readonly<Partial<Record<keyof typeof SETTINGS, readonly string[]>>> = {
  PORT: [...NUMBERS, '1.5', '65536', '7465/tcp'],
  DEBUG: ['maybe', '2', 'tru', 'debug'],
  RATE_LIMIT_PER_MINUTE: [...NUMBERS, '1.5', '100/minute'],
  DB_URL: [
    'discovery.db',
    'sqlite:',
    'sqlite://',
    'sqlite:///',
    'sqlite://discovery.db',
    'sqlite:///folder/',
    'postgres://localhost/db',
    'file:///discovery.db',
    'SQLITE:///discovery.db',
  ],
  CLEANUP_INTERVAL_SECONDS: [...NUMBERS, '0', '0.1', '86401', '1.2345'],
  ADVERTISEMENT_EXPIRY_SECONDS: [...NUMBERS, '0', '0.5', '86401', '300s'],
  HEARTBEAT_SECONDS: [...NUMBERS, '0', '0.1', '3601'],
  RESTART_GRACE_SECONDS: [...NUMBERS, '86401'],
  DRAIN_SECONDS: [...NUMBERS, '3601'],
  UNSIGNED: ['true', 'Accept', 'yes', 'allow'],
  SECURITY_CONTACT: [
    'somebody',
    'http://example.org/',
    'javascript:alert(1)',
    'mailto:me',
    'https://a/"b',
    `https://a/${'b'.repeat(256)}`,
  ],
  TRANSPORT: ['ws', 'UWS', 'http', 'uWebSockets.js'],
  TRUST_PROXY: [
    'localhost',
    'proxy.example.org',
    '10.0.0.0/33',
    '1.2.3',
    '10',
    '10/8',
    '127.1',
    '::1/129',
    '1.2.3.4:80',
    '*',
    '10.0.0.1,nonsense',
  ],
  MESSAGES_PER_MINUTE: [...NUMBERS, '0.5'],
  MAX_SUBSCRIPTIONS: [...NUMBERS, '0', '100001'],
  REPLAY_EVENTS: [...NUMBERS, '0', '16777217'],
  ACCESS_LOG: ['maybe', '2'],
  HUB_EVENTS: ['some', 'true'],
  NOTICE: ['x'.repeat(201)],
  MAX_FILTERS: [...NUMBERS, '0', '1000001'],
  MAX_QUEUED_MB: [...NUMBERS, '0', '64'],
  MAX_TOTAL_QUEUED_MB: [...NUMBERS, '0', '1000001'],
  ...Object.fromEntries(PER_ADDRESS.map(([name]) => [name, [...NUMBERS, 'AUTO', 'none', '1.5']])),
};

describe('settings that cannot be used', () => {
  test('each is refused by the name that it was given under, with its value and what would be right', () => {
    for (const [name, texts] of Object.entries(BAD)) {
      for (const text of texts) {
        const message = refusal({ [`DISCOVERY_${name}`]: text });
        assert.ok(message.startsWith(`DISCOVERY_${name}=${text}: `), `${name}=${text}: ${message}`);
        assert.match(message, /must|neither/, message);
      }
      const text = texts[0]!;
      assert.match(refusal({ [`GOLEM_DISCOVERY_${name}`]: text }), new RegExp(`^GOLEM_DISCOVERY_${name}=`));
      assert.match(refusal({}, envFile(`DISCOVERY_${name}='${text}'\n`)), new RegExp(`^DISCOVERY_${name}=`));
      assert.match(
        refusal({}, envFile(`GOLEM_DISCOVERY_${name}='${text}'\n`)),
        new RegExp(`^GOLEM_DISCOVERY_${name}=`),
      );
    }
  });

  test('all of them are told at once, a line each', () => {
    const lines = refusal({ DISCOVERY_PORT: 'x', GOLEM_DISCOVERY_DEBUG: 'y', DISCOVERY_UNSIGNED: 'z' }).split(
      '\n',
    );
    assert.deepEqual(lines.map((line) => line.split('=')[0]).sort(), [
      'DISCOVERY_PORT',
      'DISCOVERY_UNSIGNED',
      'GOLEM_DISCOVERY_DEBUG',
    ]);
  });

  test('one that is overruled is not looked at', () => {
    assert.equal(
      load({ DISCOVERY_PORT: '1', GOLEM_DISCOVERY_PORT: 'x' }, envFile('DISCOVERY_PORT=y\n')).port,
      1,
    );
  });

  test('they stop the start with that message and a status of their own', () => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [PROGRAM], {
      cwd: folder,
      env: { DISCOVERY_PORT: 'http', GOLEM_DISCOVERY_HEARTBEAT_SECONDS: '-3' },
      encoding: 'utf8',
      timeout: 30_000,
    });
    assert.equal(status, 78, stderr);
    assert.match(stderr, /^DISCOVERY_PORT=http: must be a whole number/m);
    assert.match(stderr, /^GOLEM_DISCOVERY_HEARTBEAT_SECONDS=-3: must be a number of seconds/m);
    assert.doesNotMatch(stderr, /\bat .*\.js:\d+/, 'no stack trace');
    assert.equal(stdout, '');
  });

  test('a .env that is there and cannot be read stops the start', () => {
    const path = join(folder, 'loop.env');
    symlinkSync(path, path);
    assert.match(refusal({}, path), /loop\.env exists but cannot be read \(ELOOP\): let the user/);
  });

  test('config prints what counts and where it comes from, and checks it', () => {
    const cwd = mkdtempSync(join(folder, 'config-'));
    writeFileSync(join(cwd, '.env'), 'DISCOVERY_HEARTBEAT_SECONDS=20\n');
    const run = (env: Record<string, string>, ...flags: string[]): SpawnSyncReturns<string> =>
      spawnSync(process.execPath, [PROGRAM, 'config', ...flags], {
        cwd,
        env,
        encoding: 'utf8',
        timeout: 30_000,
      });
    const shown = run({ GOLEM_DISCOVERY_DEBUG: 'on', DISCOVERY_PROT: '1' }, '--port', '8080', '--db', 'a.db');
    assert.equal(shown.status, 0, shown.stderr);
    for (const [name, value, origin] of [
      ['DISCOVERY_PORT', '8080', 'command line'],
      ['DISCOVERY_DB_URL', 'sqlite:///a.db', 'command line'],
      ['DISCOVERY_DEBUG', 'on', 'environment as GOLEM_DISCOVERY_DEBUG'],
      ['DISCOVERY_HEARTBEAT_SECONDS', '20', '.env'],
      ['DISCOVERY_UNSIGNED', 'reject', 'default'],
    ] as const)
      assert.ok(
        shown.stdout
          .split('\n')
          .some((line) => line.split(/ {2,}/).join('|') === [name, value, origin].join('|')),
        `${name} in\n${shown.stdout}`,
      );
    assert.match(shown.stderr, /DISCOVERY_PROT .*did you mean DISCOVERY_PORT/);
    const checked = run({ DISCOVERY_UNSIGNED: 'maybe' }, '--check');
    assert.deepEqual([checked.status, checked.stdout], [78, '']);
    assert.match(checked.stderr, /^DISCOVERY_UNSIGNED=maybe: must be reject or accept$/m);
    const fine = run({ DISCOVERY_PROT: '1' }, '--check');
    assert.deepEqual([fine.status, fine.stdout], [0, 'All settings are valid.\n']);
    const json = JSON.parse(run({}, '--json').stdout) as {
      settings: Record<string, object>;
      problems: string[];
    };
    assert.deepEqual(json.settings['DISCOVERY_PORT'], { value: '7465', from: 'default', variable: null });
    assert.deepEqual(json.problems, []);
  });
});
