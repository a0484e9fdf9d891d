import assert from 'node:assert/strict';
import { test } from 'node:test';
import { itemPath, LIST, onBothTransports } from '../../support/clients/http.js';
import { TestKey } from '../../support/data/keys.js';
import { RawClient, rawRequest } from '../../support/clients/raw-http.js';
import { ADVERTISEMENT, nextT } from '../../support/hubs/test-hub.js';
import { eventually } from '../websocket-support.js';

/** What docs/operations.md says of the transports: what their libraries decide, and what the hub makes of it. */
onBothTransports('what transports do with input that is not quite HTTP', {}, (hub) => {
  const isUws = (): boolean => hub().hub.transport === 'uws';

  /** The status of the answer; null when the connection ends without one. */
  const statusOf = async (bytes: string, { ends = false } = {}): Promise<number | null> => {
    const client = await RawClient.open(hub().hub.port);
    await client.write(Buffer.from(bytes, 'latin1'));
    if (ends) client.end();
    const answer = await client.answer();
    client.close();
    return answer?.status ?? null;
  };
  const post = (headers: string, body: string): string =>
    `POST ${LIST} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${body}`;

  test('a client that ends its side before it is answered', async () => {
    assert.equal(await statusOf('GET /health HTTP/1.1\r\nHost: x\r\n\r\n', { ends: true }), 200);
    const key = new TestKey();
    const body = JSON.stringify(ADVERTISEMENT);
    const signed = Object.entries(key.headers('advertise', key.publicKey, nextT(hub().clock), body));
    const advertises = rawRequest('POST', LIST, signed, body).toString('latin1');
    assert.equal(await statusOf(advertises, { ends: true }), isUws() ? null : 200);
    await eventually('it is stored', async () => (await hub().get(itemPath(key.publicKey))).status === 200);
  });

  test('chunks whose lines end with LF alone, and other names for chunks', async () => {
    const chunked = 'Transfer-Encoding: chunked';
    assert.equal(await statusOf(post(chunked, '2\r\n{}\r\n0\r\n\r\n')), 401);
    assert.equal(await statusOf(post('Transfer-Encoding: CHUNKED', '2\r\n{}\r\n0\r\n\r\n')), 401);
    assert.equal(await statusOf(post(chunked, '2\n{}\n0\n\n')), isUws() ? 401 : 400);
    if (!isUws()) assert.equal(await statusOf(post(chunked, '2;a=b\r\n{}\r\n0\r\n\r\n')), 401);
    for (const encoding of ['xchunked', 'chunked, chunked', 'gzip, chunked'])
      assert.notEqual(await statusOf(post(`Transfer-Encoding: ${encoding}`, '2\r\n{}\r\n0\r\n\r\n')), 200);
    assert.equal(
      await statusOf(post('Transfer-Encoding: xchunked', '2\r\n{}\r\n0\r\n\r\n')),
      isUws() ? null : 400,
    );
  });

  test('an empty Content-Length', async () => {
    const hidden = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
    assert.equal(await statusOf(post('Content-Length: ', hidden)), isUws() ? null : 400);
    const asked = await statusOf('GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n');
    assert.equal(asked, isUws() ? 200 : 400);
  });

  test('frames that are read together with the handshake', async () => {
    const handshake = Buffer.from(
      'GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    const frame = (first: number, payload: Buffer): Buffer =>
      Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
    const unsubscribe = (id: number): Buffer =>
      frame(0x81, Buffer.from(JSON.stringify({ type: 'unsubscribe', id, stream: 'none' })));
    // With uws such a frame is lost, and maybe what comes right behind it.
    if (!isUws()) {
      const client = await RawClient.open(hub().hub.port);
      await client.write(Buffer.concat([handshake, unsubscribe(1)]));
      assert.equal((await client.answer())?.status, 101);
      await client.write(Buffer.concat([unsubscribe(2), frame(0x88, Buffer.from([0x03, 0xe8]))]));
      const told = await client.closed();
      assert.ok(told.includes('"id":1') && told.includes('"id":2'));
    }
  });
});
