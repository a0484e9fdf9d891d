import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../support/properties.js';
import { ClientAddress } from '../../src/gateway/client-address.js';
import type { HttpRequest } from '../../src/protocol/http-message.js';

describe('whom a request is from', () => {
  const direct = new ClientAddress([]);
  const proxied = new ClientAddress(['10.0.0.0/8', '192.0.2.1', '2001:db8:aaaa::/48', '::1']);

  test('without a trusted proxy it is the peer, whatever it claims', () => {
    for (const claim of [undefined, '', '198.51.100.1', '10.0.0.1, 198.51.100.1', 'nonsense']) {
      assert.equal(direct.of('203.0.113.7', claim), '203.0.113.7');
      assert.equal(proxied.of('203.0.113.7', claim), '203.0.113.7');
    }
  });

  test('behind a trusted proxy it is the last one in the list that is no proxy', () => {
    for (const [claim, client] of [
      ['198.51.100.1', '198.51.100.1'],
      ['203.0.113.9, 198.51.100.1', '198.51.100.1'],
      ['198.51.100.1, 10.9.9.9', '198.51.100.1'],
      ['198.51.100.1,10.9.9.9,192.0.2.1', '198.51.100.1'],
      ['10.0.0.1, 198.51.100.1, 10.0.0.2', '198.51.100.1'],
      ['  198.51.100.1\t,  10.0.0.2 ', '198.51.100.1'],
    ] as const) {
      assert.equal(proxied.of('10.1.2.3', claim), client, claim);
      assert.equal(proxied.of('192.0.2.1', claim), client, claim);
    }
  });

  test('where all are proxies it is the first of them', () => {
    assert.equal(proxied.of('10.1.2.3', '10.0.0.1, 10.0.0.2'), '10.0.0.1');
    assert.equal(proxied.of('10.1.2.3', undefined), '10.1.2.3');
    assert.equal(proxied.of('10.1.2.3', ''), '10.1.2.3');
  });

  // Once counted everybody behind such a proxy as the proxy itself.
  test('a port behind the address changes nothing, nor do brackets', () => {
    for (const [claim, client] of [
      ['198.51.100.1:8080', '198.51.100.1'],
      ['198.51.100.1:8080, 10.0.0.2:443', '198.51.100.1'],
      ['[2001:db8:1:2::7]:8080', '2001:db8:1:2::/64'],
      ['[2001:db8:1:2::7]', '2001:db8:1:2::/64'],
      ['[::ffff:198.51.100.1]:1', '198.51.100.1'],
    ] as const) {
      assert.equal(proxied.of('10.1.2.3', claim), client, claim);
    }
  });

  test('what cannot be read counts for the proxy that wrote it', () => {
    for (const claim of [
      'unknown',
      '198.51.100.1, unknown',
      '198.51.100.1, ',
      '198.51.100.1:port',
      '198.51.100.1:808080',
      '[198.51.100.1',
      '[::2]8080',
      '_hidden',
    ]) {
      assert.equal(proxied.of('10.1.2.3', claim), '10.1.2.3', claim);
    }
    assert.equal(proxied.of('10.1.2.3', '198.51.100.1, unknown, 10.0.0.9'), '10.0.0.9');
  });

  test('an endless list is read from its end only, and in no time', () => {
    const claim = `${'10.0.0.1, '.repeat(100_000)}10.0.0.2`;
    const started = performance.now();
    assert.equal(proxied.of('10.1.2.3', claim), '10.0.0.1');
    assert.ok(performance.now() - started < 1000);
    assert.equal(proxied.of('10.1.2.3', `${'198.51.100.9, '.repeat(1000)}198.51.100.1`), '198.51.100.1');
  });

  test('an IPv6 address stands for its /64', () => {
    for (const address of [
      '2001:db8:1:2::',
      '2001:db8:1:2::1',
      '2001:db8:1:2:ffff:ffff:ffff:ffff',
      '2001:DB8:0001:0002:0:0:0:9',
    ]) {
      assert.equal(direct.of(address, undefined), direct.of('2001:db8:1:2::7', undefined), address);
      assert.equal(proxied.of('10.1.2.3', address), direct.of(address, undefined), address);
    }
    for (const address of ['2001:db8:1:3::1', '2001:db8:2:2::1', '2001:db9:1:2::1', '::1:2:0:0:0:0']) {
      assert.notEqual(direct.of(address, undefined), direct.of('2001:db8:1:2::7', undefined), address);
    }
  });

  test('exactly the first half of an IPv6 address decides', () => {
    const half = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 });
    const write = (...halves: number[][]): string =>
      halves
        .flat()
        .map((part) => part.toString(16))
        .join(':');
    // An address that holds an IPv4 one is treated as that one.
    const network = half.filter((parts) => parts.some((part) => part !== 0));
    fc.assert(
      fc.property(network, network, half, half, (a, b, x, y) => {
        const same = write(a) === write(b);
        assert.equal(direct.of(write(a, x), undefined), direct.of(write(a, y), undefined));
        assert.equal(direct.of(write(a, x), undefined) === direct.of(write(b, y), undefined), same);
      }),
    );
  });

  test('an IPv4 address is the same one when it comes as IPv6', () => {
    assert.equal(direct.of('::ffff:203.0.113.7', undefined), '203.0.113.7');
    assert.equal(direct.of('::ffff:cb00:7107', undefined), '203.0.113.7');
    assert.equal(proxied.of('::ffff:10.1.2.3', '::ffff:198.51.100.1'), '198.51.100.1');
  });

  test('IPv6 proxies are trusted by address and by network', () => {
    assert.equal(proxied.of('2001:db8:aaaa:5::1', '198.51.100.1'), '198.51.100.1');
    assert.equal(proxied.of('::1', '198.51.100.1'), '198.51.100.1');
    assert.equal(proxied.of('2001:db8:aaab::1', '198.51.100.1'), '2001:db8:aaab:0::/64');
    assert.equal(proxied.of('::2', '198.51.100.1'), '0:0:0:0::/64');
  });

  test('a peer that is no address, such as a local socket, is taken as it is', () => {
    assert.equal(direct.of('', '198.51.100.1'), '');
    assert.equal(proxied.of('local', '198.51.100.1'), 'local');
  });

  test('a request is from the same one each time, however many others come in between', () => {
    const request = (peerAddress: string, forwardedFor?: string): HttpRequest => ({
      method: 'GET',
      path: '/',
      search: '',
      headers: new Map(forwardedFor === undefined ? [] : [['x-forwarded-for', forwardedFor]]),
      peerAddress,
      isGone: false,
      body: new Uint8Array(0),
    });
    for (let round = 0; round < 2; round += 1) {
      for (let number = 0; number < 5000; number += 1) {
        const address = `198.51.${String(number >> 8)}.${String(number & 255)}`;
        assert.equal(direct.ofRequest(request(address, '203.0.113.7')), address);
        assert.equal(proxied.ofRequest(request('10.0.0.1', address)), address);
      }
      assert.equal(proxied.ofRequest(request('10.0.0.1')), '10.0.0.1');
      assert.equal(direct.ofRequest(request('2001:db8:1:2:3::4')), '2001:db8:1:2::/64');
    }
  });

  test('a proxy that is neither an address nor a network is named', () => {
    for (const text of [
      'localhost',
      '10.0.0.0/33',
      '10',
      '127.1',
      '0x7f.0.0.1',
      '010.0.0.1',
      '10.0.0/8',
      '::1/129',
      '',
    ]) {
      assert.throws(
        () => new ClientAddress(['10.0.0.1', text]),
        (error) => error instanceof Error && error.message.includes(JSON.stringify(text)),
        text,
      );
    }
  });
});
