import assert from 'node:assert/strict';
import test from 'node:test';
import { plausibleHosts } from '../../../src/gateway/connections/dialled-hosts.js';

test('without public hosts, a session may be signed for the host of its handshake', () => {
  assert.deepEqual(plausibleHosts('hub.example:7465', [], false).hosts, ['hub.example:7465']);
  assert.deepEqual(plausibleHosts('hub.example', [], false).hosts, ['hub.example']);
  assert.deepEqual(plausibleHosts('[2001:db8::7]:7465', [], false).hosts, ['[2001:db8::7]:7465']);
});

test('a default port may be signed or left out, because clients leave it out', () => {
  for (const port of ['80', '443'])
    assert.deepEqual(plausibleHosts(`hub.example:${port}`, [], false).hosts.sort(), [
      'hub.example',
      `hub.example:${port}`,
    ]);
  assert.deepEqual(plausibleHosts('hub.example:8080', [], false).hosts, ['hub.example:8080']);
  assert.deepEqual(plausibleHosts('[::1]:443', [], false).hosts.sort(), ['[::1]', '[::1]:443']);
  // Not a port, but the end of an address.
  assert.deepEqual(plausibleHosts('[2001:db8::80]', [], false).hosts, ['[2001:db8::80]']);
});

test('where the hub itself speaks TLS, only the default port of TLS may be left out', () => {
  assert.deepEqual(plausibleHosts('hub.example:443', [], true).hosts, ['hub.example', 'hub.example:443']);
  assert.deepEqual(plausibleHosts('hub.example:80', [], true).hosts, ['hub.example:80']);
  assert.deepEqual(plausibleHosts('hub.example', [], true).hosts, ['hub.example']);
  assert.deepEqual(plausibleHosts('[::1]:443', [], true).hosts, ['[::1]', '[::1]:443']);
});

test('with public hosts, only those may be signed, whatever the handshake says', () => {
  const { hosts, others } = plausibleHosts('10.0.0.7:7465', ['hub.example', 'hub.example:8443'], false);
  assert.deepEqual(hosts, ['hub.example', 'hub.example:8443']);
  assert.ok(others.includes('10.0.0.7:7465'));
  assert.ok(others.includes('10.0.0.7'));
});

test('the other hosts are those that explain a refusal: never an acceptable one, none twice, none empty', () => {
  for (const host of ['', 'hub.example', 'hub.example:80', 'localhost:7465', '127.0.0.1:7465', '[::1]:1']) {
    for (const publicHosts of [[], ['hub.example'], ['localhost:7465', '127.0.0.1:7465']]) {
      const { hosts, others } = plausibleHosts(host, publicHosts, false);
      assert.equal(new Set(others).size, others.length);
      assert.ok(others.every((other) => other !== '' && !hosts.includes(other)));
    }
  }
  assert.ok(plausibleHosts('hub.example:7465', [], false).others.includes('localhost:7465'));
  assert.ok(plausibleHosts('localhost:7465', [], false).others.includes('127.0.0.1:7465'));
});

test('the list of public hosts that was given is not touched', () => {
  const publicHosts = Object.freeze(['hub.example']);
  plausibleHosts('other.example', publicHosts, false).hosts.push('x');
  assert.deepEqual(publicHosts, ['hub.example']);
});
