import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import { TestAccount } from '../support/data/ethereum.js';
import { TestKey } from '../support/data/keys.js';
import { ADVERTISEMENT } from '../support/hubs/test-hub.js';
import { HubProcess, scratchFolder } from './hub-process.js';

/** A time as the first generation wrote it, so many seconds ago. */
function ago(seconds: number): string {
  return `${new Date(Date.now() - seconds * 1000).toISOString().slice(0, 23).replace('T', ' ')}000`;
}

for (const withPlatform of [true, false]) {
  const what = withPlatform
    ? 'a database of the first generation'
    : 'an older one, without a platform column,';
  test(`${what} is taken over in place`, async (t) => {
    const folder = scratchFolder(t);
    const old = new Database(join(folder, 'hub.db'));
    old.exec(`CREATE TABLE advertisements (
      provider_id TEXT PRIMARY KEY, ip_address TEXT NOT NULL, country TEXT NOT NULL, ${withPlatform ? 'platform TEXT,' : ''}
      resources JSON NOT NULL, pricing JSON, created_at TIMESTAMP, updated_at TIMESTAMP)`);
    const columns = `provider_id, ip_address, country, ${withPlatform ? 'platform, ' : ''}resources, pricing, created_at, updated_at`;
    const values = (id: string, country: string, updated: string): unknown[] => [
      id,
      '192.168.1.100',
      country,
      ...(withPlatform ? ['x86_64'] : []),
      '{"cpu":4,"memory":8,"storage":40}',
      '{"usd_per_core_month":5}',
      ago(9000),
      updated,
    ];
    const marks = values('', '', '')
      .map(() => '?')
      .join(', ');
    const insert = old.prepare(`INSERT INTO advertisements (${columns}) VALUES (${marks})`);
    insert.run(values('provider-1', 'SE', ago(100)));
    insert.run(values('long-gone', 'SE', ago(400)));
    insert.run(values('nowhere', 'XX', ago(10)));
    old.close();

    const hub = await HubProcess.start(folder);
    const { body } = await hub.request<PublishedAdvertisement[]>('GET', '/api/v1/advertisements');
    assert.deepEqual(
      body.map(({ provider_id, status, verified, platform }) => [provider_id, status, verified, platform]),
      [['provider-1', 'live', false, withPlatform ? 'x86_64' : null]],
    );
    assert.ok(Math.abs(Date.now() - 9_000_000 - Date.parse(body[0]!.created_at)) < 60_000);

    const key = new TestKey();
    const payload = JSON.stringify(ADVERTISEMENT);
    const post = await hub.request<PublishedAdvertisement>('POST', '/api/v1/advertisements', {
      headers: {
        'Content-Type': 'application/json',
        ...key.headers('advertise', 'provider-1', Date.now(), payload),
      },
      body: payload,
    });
    assert.deepEqual([post.status, post.body.status, post.body.verified], [200, 'live', true]);
    assert.equal(post.body.created_at, body[0]!.created_at, 'the first time it was advertised is kept');
    assert.equal(await hub.stop(), 0);
  });
}

test('what the hub of the first generation changes in a file counts as unsigned once one is back', async (t) => {
  const folder = scratchFolder(t);
  const file = join(folder, 'hub.db');
  const key = new TestKey();
  let hub = await HubProcess.start(folder, { UNSIGNED: 'accept' });
  const payload = JSON.stringify(ADVERTISEMENT);
  const post = (headers: Record<string, string>) =>
    hub.request<PublishedAdvertisement>('POST', '/api/v1/advertisements', {
      headers: { 'Content-Type': 'application/json', ...headers },
      body: payload,
    });
  const sign = (id: string) => key.headers('advertise', id, Date.now(), payload);
  const unsigned = (id: string) => ({ 'X-Provider-ID': id, 'X-Provider-Signature': 'none' });
  for (const id of ['changed', 'refreshed', 'untouched']) assert.equal((await post(sign(id))).status, 200);
  assert.equal((await post(unsigned('unsigned'))).status, 200);
  assert.equal(await hub.stop(), 0);

  const old = new Database(file);
  const change = old.prepare(
    'UPDATE advertisements SET ip_address = ?, country = ?, resources = ?, updated_at = ? WHERE provider_id = ?',
  );
  const resources = '{"cpu": 64, "memory": 512, "storage": 9000}';
  change.run('198.51.100.66', 'NO', resources, ago(1), 'changed');
  change.run('198.51.100.66', 'NO', resources, ago(1), 'unsigned');
  old
    .prepare('UPDATE advertisements SET ip_address = ip_address, updated_at = ? WHERE provider_id = ?')
    .run(ago(1), 'refreshed');
  old
    .prepare(
      'INSERT INTO advertisements (provider_id, ip_address, country, resources, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)',
    )
    .run('new', '198.51.100.66', 'NO', resources, ago(1), ago(1));
  old.close();

  hub = await HubProcess.start(folder, { UNSIGNED: 'accept' });
  const { body } = await hub.request<PublishedAdvertisement[]>('GET', '/api/v1/advertisements');
  assert.deepEqual(
    body.map(({ provider_id, country, verified }) => [provider_id, country, verified]),
    [
      ['new', 'NO', false],
      ['refreshed', ADVERTISEMENT.country, true],
      ['unsigned', 'NO', false],
      ['untouched', ADVERTISEMENT.country, true],
    ],
  );
  assert.equal((await post(unsigned('changed'))).status, 403, 'the name is still its key’s');
  const again = await post(sign('changed'));
  assert.deepEqual([again.status, again.body.verified], [200, true]);
  assert.equal(await hub.stop(), 0);
});

test("one Ethereum address is one provider in a file that has it in several spellings, and stays its owner's over restarts", async (t) => {
  const folder = scratchFolder(t);
  const file = join(folder, 'hub.db');
  const old = new Database(file);
  old.exec(`CREATE TABLE advertisements (
    provider_id TEXT PRIMARY KEY, ip_address TEXT NOT NULL, country TEXT NOT NULL, resources JSON NOT NULL,
    created_at TIMESTAMP, updated_at TIMESTAMP)`);
  const insert = old.prepare('INSERT INTO advertisements VALUES (?, ?, ?, ?, ?, ?)');
  const put = (id: string, country: string, seconds: number): void => {
    const seen = ago(seconds);
    insert.run(id, '192.168.1.100', country, '{"cpu":4,"memory":8,"storage":40}', seen, seen);
  };
  const account = new TestAccount(Buffer.alloc(32, 0x11));
  const { address, lower, upper } = account;
  const canonicalIsOldest = new TestAccount(Buffer.alloc(32, 0x22));
  put(upper, 'SE', 90);
  put(lower, 'NO', 60);
  put(canonicalIsOldest.address, 'SE', 100);
  put(canonicalIsOldest.lower, 'FI', 50);
  put(address.replace('E', 'e'), 'DK', 40);
  put(`0X${'ab'.repeat(20)}`, 'DK', 40);
  put('AB'.repeat(32), 'DK', 40);
  old.close();

  let hub = await HubProcess.start(folder, { UNSIGNED: 'accept' });
  const listed = async (): Promise<[string, string][]> => {
    const { body } = await hub.request<PublishedAdvertisement[]>('GET', '/api/v1/advertisements');
    return body.map(({ provider_id, country }) => [provider_id, country]);
  };
  const both: [string, string][] = [
    [address, 'NO'],
    [canonicalIsOldest.address, 'FI'],
  ];
  assert.deepEqual(await listed(), both.sort());

  const payload = JSON.stringify(ADVERTISEMENT);
  const post = (headers: Record<string, string>) =>
    hub.request<PublishedAdvertisement>('POST', '/api/v1/advertisements', {
      headers: { 'Content-Type': 'application/json', ...headers },
      body: payload,
    });
  const unsigned = { 'X-Provider-ID': lower, 'X-Provider-Signature': 'none' };
  assert.deepEqual((await post(unsigned)).body.provider_id, address);
  const signed = await post(account.headers('advertise', Date.now(), payload, upper));
  assert.deepEqual([signed.body.provider_id, signed.body.verified], [address, true]);
  assert.equal((await post(unsigned)).status, 403);

  for (let restart = 0; restart < 2; restart += 1) {
    assert.equal(await hub.stop(), 0);
    hub = await HubProcess.start(folder, { UNSIGNED: 'accept' });
    assert.equal((await post(unsigned)).status, 403);
    const { body } = await hub.request<{ scheme: string }>('GET', `/api/v1/advertisements/${lower}/proof`);
    if (restart === 0) {
      assert.equal(body.scheme, 'eip191');
      const headers = account.headers('withdraw', Date.now() + 1, '');
      assert.equal((await hub.request('DELETE', `/api/v1/advertisements/${lower}`, { headers })).status, 200);
    }
  }
  assert.equal(await hub.stop(), 0);
  const kept = new Database(file, { readonly: true });
  assert.equal(
    kept.prepare('SELECT count(*) FROM advertisements WHERE provider_id = ?').pluck().get(lower),
    0,
  );
  assert.equal(
    kept.prepare('SELECT public_key FROM identities WHERE provider_id = ?').pluck().get(address),
    address,
  );
  kept.close();
});
