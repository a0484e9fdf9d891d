import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Config, loadConfig, openSources } from '../src/config.js';
import { SETTING_NAMES, SETTINGS } from '../src/settings.js';
import { FIRST_CERTIFICATE } from './data/certificates.js';
import { writeCertificate } from './support/clients/tls.js';

import { envFile, folder, load, NO_FILE, PER_ADDRESS, refusal, STORE } from './support/settings.js';

type Plain = Omit<Config, 'clientAddress'>;
type Case = readonly [name: keyof typeof SETTINGS, text: string, member: keyof Plain, value: unknown];

const GOOD: readonly Case[] = [
  ['HOST', '127.0.0.1', 'host', '127.0.0.1'],
  ['HOST', '::', 'host', '::'],
  ['PORT', '8080', 'port', 8080],
  ['PORT', '0', 'port', 0],
  ['PORT', '65535', 'port', 65_535],
  ['DEBUG', 'true', 'debug', true],
  ['DEBUG', 'TRUE', 'debug', true],
  ['DEBUG', '1', 'debug', true],
  ['DEBUG', 'on', 'debug', true],
  ['DEBUG', 'yes', 'debug', true],
  ['DEBUG', 'False', 'debug', false],
  ['DEBUG', '0', 'debug', false],
  ['RATE_LIMIT_PER_MINUTE', '0', 'rateLimitPerMinute', 0],
  ['RATE_LIMIT_PER_MINUTE', '6000', 'rateLimitPerMinute', 6000],
  ['DB_URL', 'sqlite:///other.db', 'database', { kind: 'file', path: 'other.db' }],
  ['DB_URL', 'sqlite:////var/lib/hub.db', 'database', { kind: 'file', path: '/var/lib/hub.db' }],
  ['DB_URL', 'sqlite:///:memory:', 'database', { kind: 'memory' }],
  ['DB_URL', 'sqlite+aiosqlite:///other.db', 'database', { kind: 'file', path: 'other.db' }],
  ['DB_URL', 'sqlite+aiosqlite:////var/lib/hub.db', 'database', { kind: 'file', path: '/var/lib/hub.db' }],
  ['DB_URL', 'sqlite+aiosqlite:///:memory:', 'database', { kind: 'memory' }],
  ['CLEANUP_INTERVAL_SECONDS', '5', 'cleanupMs', 5000],
  ['ADVERTISEMENT_EXPIRY_SECONDS', '600', 'expiryMs', 600_000],
  ['HEARTBEAT_SECONDS', '1.5', 'heartbeatMs', 1500],
  ['RESTART_GRACE_SECONDS', '0', 'restartGraceMs', 0],
  ['DRAIN_SECONDS', '0', 'drainMs', 0],
  ['DRAIN_SECONDS', '2.5', 'drainMs', 2500],
  ['UNSIGNED', 'accept', 'acceptUnsigned', true],
  ['UNSIGNED', 'reject', 'acceptUnsigned', false],
  ['TRANSPORT', 'uws', 'transport', 'uws'],
  ['TRANSPORT', 'node', 'transport', 'node'],
  ['TRANSPORT', 'auto', 'transport', 'auto'],
  ['PUBLIC_HOSTS', 'hub.example.org', 'publicHosts', ['hub.example.org']],
  ['SECURITY_CONTACT', 'me@example.org', 'securityContact', 'mailto:me@example.org'],
  ['SECURITY_CONTACT', 'tel:+46-1-23', 'securityContact', 'tel:+46-1-23'],
  ['SECURITY_CONTACT', 'https://example.org/?a=1&b', 'securityContact', 'https://example.org/?a=1&b'],
  ['PUBLIC_HOSTS', ' Hub.Example.org , other:8443,, ', 'publicHosts', ['hub.example.org', 'other:8443']],
  ['MESSAGES_PER_MINUTE', '0', 'messagesPerMinute', 0],
  ['MESSAGES_PER_MINUTE', '60', 'messagesPerMinute', 60],
  ['MAX_SUBSCRIPTIONS', '1', 'maxSubscriptions', 1],
  ['REPLAY_EVENTS', '1024', 'replayEvents', 1024],
  ['ACCESS_LOG', 'on', 'accessLog', true],
  ['HUB_EVENTS', 'all', 'hubEvents', 'all'],
  ['HUB_EVENTS', 'none', 'hubEvents', null],
  ['NOTICE', 'Back at noon', 'notice', 'Back at noon'],
  ['MAX_FILTERS', '500', 'maxFilters', 500],
  ['MAX_QUEUED_MB', '1', 'maxQueuedBytes', 1_048_576],
  ['MAX_TOTAL_QUEUED_MB', '2', 'maxTotalQueuedBytes', 2_097_152],
  ...PER_ADDRESS.flatMap(([name, member, usual]): Case[] => [
    [name, '0', member, 0],
    [name, '7', member, 7],
    [name, 'auto', member, usual],
  ]),
];

describe('settings', () => {
  test('without any the defaults are those of the contract', () => {
    const { clientAddress, ...plain } = load({});
    assert.deepEqual(plain, {
      host: '0.0.0.0',
      port: 7465,
      debug: false,
      rateLimitPerMinute: 100,
      database: { kind: 'file', path: 'discovery.db' },
      cleanupMs: 60_000,
      expiryMs: 300_000,
      heartbeatMs: 30_000,
      restartGraceMs: 60_000,
      drainMs: 5000,
      acceptUnsigned: false,
      transport: 'auto',
      publicHosts: [],
      securityContact: null,
      tls: null,
      messagesPerMinute: 600,
      maxSubscriptions: 64,
      maxFilters: 20_000,
      maxQueuedBytes: 16_777_216,
      maxTotalQueuedBytes: 1_073_741_824,
      maxConnectionsPerAddress: 1000,
      maxSilentConnectionsPerAddress: 128,
      maxSubscriptionsPerAddress: 4000,
      subscribesPerMinute: 1000,
      maxAdvertisementsPerAddress: 1000,
      newNamesPerDay: 100,
      invalidSignaturesPerMinute: 100,
      replayEvents: 65_536,
      accessLog: false,
      notice: '',
      hubEvents: 'counts',
      store: null,
    } satisfies Plain);
    assert.equal(clientAddress.of('192.0.2.1', '198.51.100.1'), '192.0.2.1', 'no proxy is trusted');
  });

  test('limits by address go with the limit of requests, unless they are set themselves', () => {
    for (const [name, member] of PER_ADDRESS) {
      assert.equal(load({ DISCOVERY_RATE_LIMIT_PER_MINUTE: '0' })[member], 0, name);
      const both = { DISCOVERY_RATE_LIMIT_PER_MINUTE: '0', [`DISCOVERY_${name}`]: '7' };
      assert.equal(load(both)[member], 7, name);
    }
  });

  test('these are all settings that there are', () => {
    assert.deepEqual(
      Object.keys(SETTINGS).sort(),
      [...new Set([...GOOD.map(([name]) => name), 'TRUST_PROXY', 'TLS_CERT', 'TLS_KEY', ...STORE])].sort(),
    );
  });

  for (const prefix of ['DISCOVERY_', 'GOLEM_DISCOVERY_']) {
    test(`every setting is read from ${prefix}…, from the environment and from .env`, () => {
      for (const [name, text, member, value] of GOOD) {
        const key = prefix + name;
        assert.deepEqual(load({ [key]: text })[member], value, `${key}=${text}`);
        assert.deepEqual(load({}, envFile(`${key}="${text}"\n`))[member], value, `${key}=${text} in .env`);
      }
    });
  }

  test('proxies are addresses and networks, IPv4 and IPv6', () => {
    for (const text of [
      '10.0.0.0/8,192.0.2.1',
      ' 10.0.0.0/8 , 2001:db8::/32, ::1 ,',
      '10.1.2.3',
      '0.0.0.0/0',
    ]) {
      for (const prefix of ['DISCOVERY_', 'GOLEM_DISCOVERY_']) {
        const { clientAddress } = load({ [`${prefix}TRUST_PROXY`]: text });
        assert.equal(clientAddress.of('10.1.2.3', '198.51.100.1'), '198.51.100.1', text);
      }
    }
  });

  test('a certificate and its key are files that belong together', () => {
    const tls = writeCertificate(folder, FIRST_CERTIFICATE);
    for (const prefix of ['DISCOVERY_', 'GOLEM_DISCOVERY_']) {
      const settings = { [`${prefix}TLS_CERT`]: tls.cert, [`${prefix}TLS_KEY`]: tls.key };
      assert.deepEqual(load(settings).tls, tls);
    }
    assert.equal(load({ DISCOVERY_TLS_CERT: '', DISCOVERY_TLS_KEY: ' ' }).tls, null);
  });

  test('a certificate without its key is refused, and so is a key without its certificate', () => {
    const { cert, key } = writeCertificate(folder, FIRST_CERTIFICATE);
    assert.match(
      refusal({ DISCOVERY_TLS_CERT: cert }),
      /^DISCOVERY_TLS_KEY is not set.*set both, or neither$/,
    );
    assert.match(
      refusal({ DISCOVERY_TLS_KEY: key }),
      /^DISCOVERY_TLS_CERT is not set.*set both, or neither$/,
    );
  });

  test('a store is shared where there are endpoints; what does not go together is refused', () => {
    const endpoints = { DISCOVERY_ETCD_ENDPOINTS: 'http://etcd-1:2379, http://[::1]' };
    const password = envFile('secret\n');
    const user = { DISCOVERY_ETCD_USERNAME: 'hub', DISCOVERY_ETCD_PASSWORD_FILE: password };
    assert.deepEqual(
      load({ ...endpoints, ...user, DISCOVERY_HUB_NAME: 'one', DISCOVERY_ETCD_PREFIX: '/p/' }).store,
      {
        endpoints: ['http://etcd-1:2379', 'http://[::1]:2379'],
        prefix: '/p/',
        hubName: 'one',
        markPath: 'discovery.db.store',
        ca: null,
        client: null,
        user: { name: 'hub', password: 'secret' },
      },
    );
    const { store } = load({ DISCOVERY_ETCD_ENDPOINTS: 'https://etcd-1:80', DISCOVERY_ETCD_CA: password });
    assert.deepEqual([store?.endpoints, store?.ca?.toString()], [['https://etcd-1:80'], 'secret\n']);
    assert.match(
      refusal({ ...endpoints, DISCOVERY_ETCD_USERNAME: 'hub' }),
      /ETCD_PASSWORD_FILE.*set both, or neither/,
    );
    assert.match(refusal({ ...endpoints, DISCOVERY_ETCD_CERT: password }), /ETCD_KEY.*set both, or neither/);
    assert.match(refusal({ ...endpoints, DISCOVERY_ETCD_CA: password }), /make it https/);
    assert.match(
      refusal({ ...endpoints, ...user, DISCOVERY_ETCD_PASSWORD_FILE: '/no/file' }),
      /FILE=\/no\/file: cannot be read/,
    );
    assert.match(refusal({ DISCOVERY_ETCD_ENDPOINTS: 'etcd-1:2379' }), /must be URLs like/);
    assert.match(refusal({ DISCOVERY_ETCD_PREFIX: 'p' }), /begin and end with a slash/);
    assert.match(refusal({ DISCOVERY_HUB_NAME: 'a b' }), /letters, digits/);
  });

  test('white space around a value does not count, and an empty one is none', () => {
    assert.equal(load({ DISCOVERY_PORT: ' 8080 ' }).port, 8080);
    for (const text of ['', '  ', '\t']) {
      const { port, publicHosts, transport } = load({
        DISCOVERY_PORT: text,
        DISCOVERY_PUBLIC_HOSTS: text,
        DISCOVERY_TRANSPORT: text,
      });
      assert.deepEqual({ port, publicHosts, transport }, { port: 7465, publicHosts: [], transport: 'auto' });
    }
  });

  test('other variables do not matter', () => {
    assert.equal(
      load({ PORT: '1', DISCOVERY_port: '2', XDISCOVERY_PORT: '3', DISCOVERY_UNHEARD_OF: '4' }).port,
      7465,
    );
  });

  test('the environment comes before .env, and DISCOVERY_ before GOLEM_DISCOVERY_', () => {
    const file = envFile('DISCOVERY_PORT=3\nGOLEM_DISCOVERY_PORT=4\n');
    const golemFile = envFile('GOLEM_DISCOVERY_PORT=4\n');
    const both = { DISCOVERY_PORT: '1', GOLEM_DISCOVERY_PORT: '2' };
    assert.equal(load(both, file).port, 1);
    assert.equal(load({ GOLEM_DISCOVERY_PORT: '2' }, file).port, 2);
    assert.equal(load({}, file).port, 3);
    assert.equal(load({}, golemFile).port, 4);
    assert.equal(load({ DISCOVERY_PORT: '1' }, golemFile).port, 1);
    assert.equal(load({}, NO_FILE).port, 7465);
  });

  test('each setting comes from where it is, others from elsewhere', () => {
    const { port, debug, heartbeatMs } = load(
      { DISCOVERY_PORT: '1' },
      envFile('DISCOVERY_PORT=3\nDISCOVERY_DEBUG=on\n'),
    );
    assert.deepEqual({ port, debug, heartbeatMs }, { port: 1, debug: true, heartbeatMs: 30_000 });
  });

  test('.env may have comments, quotes, blank lines and export', () => {
    const path = envFile(
      '# a comment\n\nexport DISCOVERY_PORT=1\r\nDISCOVERY_HOST = \'::1\' # here\nDISCOVERY_UNSIGNED="accept"\n',
    );
    const { port, host, acceptUnsigned } = load({}, path);
    assert.deepEqual({ port, host, acceptUnsigned }, { port: 1, host: '::1', acceptUnsigned: true });
  });

  test('a folder called .env is no file of settings', () => {
    const path = join(folder, 'folder.env');
    mkdirSync(path);
    assert.equal(load({}, path).port, 7465);
  });
});

describe('names of settings', () => {
  test('those of the first generation count where ours are not set', () => {
    const path = (environment: Record<string, string>): string => {
      const { database } = load(environment);
      assert.equal(database.kind, 'file');
      return 'path' in database ? database.path : '';
    };
    assert.equal(path({ GOLEM_DISCOVERY_DATABASE_URL: 'sqlite+aiosqlite:////srv/a.db' }), '/srv/a.db');
    assert.equal(path({ GOLEM_DISCOVERY_DATABASE_DIR: '/srv' }), '/srv/discovery.db');
    assert.equal(
      path({ GOLEM_DISCOVERY_DATABASE_DIR: '/srv', GOLEM_DISCOVERY_DATABASE_NAME: 'b.db' }),
      '/srv/b.db',
    );
    assert.equal(
      path({ GOLEM_DISCOVERY_DATABASE_NAME: 'b.db' }),
      join(homedir(), '.golem', 'discovery', 'b.db'),
    );
    assert.equal(
      path({ GOLEM_DISCOVERY_DATABASE_DIR: '/srv', DISCOVERY_DB_URL: 'sqlite:///mine.db' }),
      'mine.db',
    );
    assert.equal(load({ GOLEM_DISCOVERY_ADVERTISEMENT_EXPIRY_MINUTES: '7' }).expiryMs, 420_000);
    for (const minutes of ['0', 'x', '1.5', '1441'])
      assert.match(
        refusal({ GOLEM_DISCOVERY_ADVERTISEMENT_EXPIRY_MINUTES: minutes }),
        new RegExp(`^GOLEM_DISCOVERY_ADVERTISEMENT_EXPIRY_MINUTES=${minutes}.*must be`),
      );
  });

  test('what is no setting is warned about, with what may have been meant', () => {
    const sources = openSources(
      {
        DISCOVERY_PROT: '1',
        DISCOVERY_URL: 'x',
        DISCOVERY_PORT: '2',
        GOLEM_DISCOVERY_HEARTBEET_SECONDS: '3',
      },
      envFile('DISCOVERY_WHATEVER_ELSE=1\n'),
    );
    assert.deepEqual(sources.warnings(SETTING_NAMES), [
      'DISCOVERY_PROT (environment) is not a setting and has no effect; did you mean DISCOVERY_PORT?',
      'GOLEM_DISCOVERY_HEARTBEET_SECONDS (environment) is not a setting and has no effect; did you mean GOLEM_DISCOVERY_HEARTBEAT_SECONDS?',
      'DISCOVERY_WHATEVER_ELSE (.env) is not a setting and has no effect; discovery-hub config lists those that are',
    ]);
  });

  test('flags come before all else', () => {
    const environment = { DISCOVERY_PORT: '1' };
    assert.equal(loadConfig(environment, NO_FILE, { PORT: '2' }).port, 2);
  });

  test('a host that providers dial may be given as a URL: taken as it stood, it shut every provider out', () => {
    const hosts = (text: string): string[] => load({ DISCOVERY_PUBLIC_HOSTS: text }).publicHosts;
    assert.deepEqual(hosts('https://Hub.example.org, wss://b.example:8443/,[::1]:80,c'), [
      'hub.example.org',
      'b.example:8443',
      '[::1]:80',
      'c',
    ]);
    for (const text of ['https://hub/path', 'hub example', 'ftp://hub', 'hub:port', '*.example.org'])
      assert.match(refusal({ DISCOVERY_PUBLIC_HOSTS: `a,${text}` }), /must be hosts as providers dial them/);
  });
});
