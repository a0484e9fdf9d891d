import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { PublishedAdvertisement } from '../../../src/protocol/advertisement.js';
import { FIRST_CERTIFICATE } from '../../data/certificates.js';
import { TestKey } from '../../support/data/keys.js';
import { RawClient, rawRequest } from '../../support/clients/raw-http.js';
import { TRANSPORTS } from '../../support/hubs/test-hub.js';
import { secureConnection, secureFetch, writeCertificate } from '../../support/clients/tls.js';
import {
  assertError,
  closesWith,
  forEachPair,
  greet,
  greetWithNonce,
  Provider,
  sessionFrame,
  unique,
  useHub,
} from '../websocket-support.js';

const folder = mkdtempSync(join(tmpdir(), 'hub-tls-'));
after(() => {
  rmSync(folder, { recursive: true });
});
const { cert, key } = writeCertificate(folder, FIRST_CERTIFICATE);
const SETTINGS = { TLS_CERT: cert, TLS_KEY: key };

/** The Host header of a handshake, and what may be signed where it was `wss` that was dialled. */
const ACCEPTED: [header: string, signed: string][] = [
  ['hub.example', 'hub.example'],
  ['hub.example:443', 'hub.example'],
  ['hub.example:443', 'hub.example:443'],
  ['hub.example:80', 'hub.example:80'],
  ['[2001:db8::1]:443', '[2001:db8::1]'],
];
const REFUSED: [header: string, signed: string][] = [
  ['hub.example:80', 'hub.example'],
  ['hub.example:7465', 'hub.example'],
];

forEachPair('over TLS', (pair) => {
  const { codec } = pair;
  const hub = useHub(pair, SETTINGS);

  test('what a provider advertises, live or over HTTP, is listed and seen by who watches', async () => {
    const network = unique();
    const watcher = await greet(hub(), codec);
    watcher.send({ type: 'subscribe', id: 1, filter: { payments_network: network } });
    await watcher.next('subscribed');
    await watcher.next('snapshot');

    const provider = await Provider.join(hub(), codec);
    await provider.advertise({ payments_network: network });
    const poster = new TestKey();
    const advertisement = { ip_address: '192.0.2.1', country: 'NO', payments_network: network };
    const posted = await hub().post<PublishedAdvertisement>(poster, poster.publicKey, {
      ...advertisement,
      resources: { cpu: 1, memory: 1, storage: 1 },
    });
    assert.equal(posted.status, 200);

    const seen = new Set<string>();
    while (seen.size < 2) {
      const { events } = (await watcher.next('events')) as {
        events: { advertisement: PublishedAdvertisement }[];
      };
      for (const event of events) seen.add(event.advertisement.provider_id);
    }
    const list = await hub().get<PublishedAdvertisement[]>(
      `/api/v1/advertisements?payments_network=${network}`,
    );
    assert.deepEqual(list.body.map((each) => each.provider_id).sort(), [...seen].sort());
    assert.deepEqual([...seen].sort(), [provider.id, poster.publicKey].sort());
    assert.equal((await hub().delete(poster)).status, 200);
    await provider.withdraw();
  });

  for (const [header, signed] of ACCEPTED) {
    test(`a session may be signed for ${signed} where the request says ${header}`, async () => {
      const { socket, nonce } = await greetWithNonce(hub(), codec, { headers: { Host: header } });
      socket.send(sessionFrame(hub(), new TestKey(), nonce, { host: signed }));
      await socket.next('authenticated');
    });
  }

  for (const [header, signed] of REFUSED) {
    test(`a session may not be signed for ${signed} where the request says ${header}`, async () => {
      const { socket, nonce } = await greetWithNonce(hub(), codec, { headers: { Host: header } });
      socket.send(sessionFrame(hub(), new TestKey(), nonce, { host: signed }));
      assert.ok(assertError(await socket.next('error'), 'AUTH_005', 'who').includes(header));
      await closesWith(socket, 4401);
    });
  }
});

for (const transport of TRANSPORTS) {
  describe(`pages over TLS: ${transport}`, () => {
    const hub = useHub({ transport, codec: 'json' }, SETTINGS);

    test('a browser is told to stay with TLS, where the port is the default one', async () => {
      for (const [host, strict] of [
        ['hub.example', 'max-age=31536000'],
        ['[2001:db8::1]', 'max-age=31536000'],
        ['hub.example:8443', null],
      ] as const) {
        const page = await secureFetch(`${hub().url}/docs`, { headers: { host } });
        assert.equal(page.status, 200);
        assert.equal(page.headers.get('strict-transport-security'), strict, host);
        assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
      }
    });

    test('a plain request is refused, and those who speak TLS notice nothing', async () => {
      const connection = await secureConnection(hub().hub.port);
      const plain = await RawClient.open(hub().hub.port);
      await plain.write(rawRequest('GET', '/health'));
      assert.doesNotMatch(await plain.closed(), /healthy/);
      connection.write(rawRequest('GET', '/health'));
      const [answer] = (await once(connection, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1\.1 200/);
      connection.destroy();
    });
  });
}
