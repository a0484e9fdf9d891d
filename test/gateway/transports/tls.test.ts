import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlainly, createServer, type Socket as NetSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { connect, type SecureVersion } from 'node:tls';
import { reset } from '../../../bench/load/sockets.js';
import type { StartTransport } from '../../../src/gateway/transports/port.js';
import { TlsError, type TlsFiles } from '../../../src/gateway/transports/tls.js';
import { startNode } from '../../../src/gateway/transports/node/transport.js';
import { loadUws, startUws } from '../../../src/gateway/transports/uws/transport.js';
import { FIRST_CERTIFICATE, SECOND_CERTIFICATE, type TestCertificate } from '../../data/certificates.js';
import { presentedBy, TRUSTED, writeCertificate } from '../../support/clients/tls.js';
import { dial, farewell, Hub, listening, overTls, RawClient } from './harness.js';

const fingerprint = ({ cert }: TestCertificate): string => new X509Certificate(cert).fingerprint256;
const FIRST = fingerprint(FIRST_CERTIFICATE);
const SECOND = fingerprint(SECOND_CERTIFICATE);

const uwsIsMissing = await loadUws().then(
  () => false,
  () => 'no binary for this platform',
);

overTls();

/** A folder with a certificate of its own for a test, and the transport that reads it. */
function ownFiles(t: TestContext, start: StartTransport): { folder: string; start: StartTransport } {
  const folder = mkdtempSync(join(tmpdir(), 'hub-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const tls: TlsFiles = writeCertificate(folder, FIRST_CERTIFICATE);
  return { folder, start: (address, options, handler) => start(address, { ...options, tls }, handler) };
}

/** A connection without TLS to a port that wants it; `closed` resolves with what came back. */
async function plainly(
  t: TestContext,
  port: number,
): Promise<{ socket: NetSocket; closed: Promise<Buffer> }> {
  const socket = connectPlainly({ port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const closed = new Promise<Buffer>((resolve) => {
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
  await once(socket, 'connect');
  return { socket, closed };
}

/** The first bytes of a real handshake. */
async function clientHello(t: TestContext): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const client = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1' });
  client.on('error', () => undefined);
  const [arrived] = (await once(server, 'connection')) as [NetSocket];
  const [bytes] = (await once(arrived, 'data')) as [Buffer];
  client.destroy();
  arrived.destroy();
  return bytes;
}

describe('TLS', { concurrency: true }, () => {
  for (const [name, start] of [
    ['uws', startUws],
    ['node', startNode],
  ] as const) {
    const skip = name === 'uws' && uwsIsMissing;

    test(
      `${name}: a renewed certificate is for new connections, and those that are open live on`,
      { skip },
      async (t) => {
        const hub = new Hub();
        const own = ownFiles(t, start);
        const transport = await listening(t, own.start, { upgrade: hub.upgrade });
        const open = [await dial(t, transport, hub)];
        const keptAlive = new RawClient(t, transport.port);
        await keptAlive.get('/');
        assert.equal(await presentedBy(transport.port), FIRST);

        for (const [certificate, expected] of [
          [SECOND_CERTIFICATE, SECOND],
          [FIRST_CERTIFICATE, FIRST],
          [SECOND_CERTIFICATE, SECOND],
        ] as const) {
          writeCertificate(own.folder, certificate);
          assert.equal(transport.renewCertificate().fingerprint, expected);
          assert.equal(await presentedBy(transport.port), expected);
          const next = await dial(t, transport, hub);
          assert.equal(next.peer.socket.peerAddress, '127.0.0.1');
          open.push(next);
        }
        assert.equal((await keptAlive.get('/')).body, 'hello');
        for (const { client, peer } of open) {
          client.send('still here');
          assert.equal((await peer.messages.next()).bytes.toString(), 'still here');
          const answered = once(client, 'message') as Promise<[Buffer]>;
          peer.socket.send(Buffer.from('so am I'), false);
          assert.equal((await answered)[0].toString(), 'so am I');
        }

        transport.stopListening();
        const late = await plainly(t, transport.port).catch(
          (error: unknown) => (error as NodeJS.ErrnoException).code,
        );
        assert.equal(late, 'ECONNREFUSED');
        const farewells = open.map(({ client }) => farewell(client));
        await transport.close();
        for (const { code } of await Promise.all(farewells)) assert.equal(code, 1006);
        await keptAlive.closed;
      },
    );

    test(`${name}: files that cannot be used leave everything as it was`, { skip }, async (t) => {
      const own = ownFiles(t, start);
      const transport = await listening(t, own.start, {});
      const broken: (() => void)[] = [
        () => writeFileSync(join(own.folder, 'hub.crt'), SECOND_CERTIFICATE.cert),
        () => writeFileSync(join(own.folder, 'hub.crt'), SECOND_CERTIFICATE.cert.slice(0, 200)),
        () => rmSync(join(own.folder, 'hub.key')),
      ];
      for (const breakIt of broken) {
        breakIt();
        assert.throws(() => transport.renewCertificate(), TlsError);
        assert.equal(await presentedBy(transport.port), FIRST);
      }
      writeCertificate(own.folder, SECOND_CERTIFICATE);
      transport.renewCertificate();
      assert.equal(await presentedBy(transport.port), SECOND);
    });

    test(`${name}: it does not start with files that cannot be used`, { skip }, async (t) => {
      const own = ownFiles(t, start);
      rmSync(join(own.folder, 'hub.key'));
      await assert.rejects(listening(t, own.start, {}), TlsError);
    });

    test(`${name}: a transport without TLS has no certificate to renew`, { skip }, async (t) => {
      const plain: StartTransport = (address, options, handler) =>
        start(address, { ...options, tls: null }, handler);
      const transport = await listening(t, plain, {});
      assert.throws(() => transport.renewCertificate(), /does not speak TLS; set DISCOVERY_TLS_CERT/);
    });

    test(`${name}: TLS 1.2 and 1.3 are spoken, nothing older`, { skip }, async (t) => {
      const { port } = await listening(t, start, {});
      const speak = async (version: SecureVersion): Promise<string | null> => {
        const limits = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
        const connection = connect({ port, host: '127.0.0.1', ca: TRUSTED, ...limits });
        t.after(() => connection.destroy());
        await once(connection, 'secureConnect');
        return connection.getProtocol();
      };
      assert.equal(await speak('TLSv1.3'), 'TLSv1.3');
      assert.equal(await speak('TLSv1.2'), 'TLSv1.2');
      await assert.rejects(speak('TLSv1.1'));
      await assert.rejects(speak('TLSv1'));
    });

    test(
      `${name}: what is no TLS, or breaks off, ends its own connection and nothing else`,
      { skip },
      async (t) => {
        const { port } = await listening(t, start, {});
        const bystander = new RawClient(t, port);
        await bystander.get('/');
        const hello = await clientHello(t);
        const hostile = Buffer.from(hello);
        hostile.fill(0xff, 60);
        for (const bytes of ['GET / HTTP/1.1\r\nHost: hub\r\n\r\n', Buffer.alloc(64 * 1024, 0xff), hostile]) {
          const { socket, closed } = await plainly(t, port);
          socket.write(bytes);
          assert.doesNotMatch((await closed).toString('latin1'), /hello/);
        }
        for (const cut of [1, 5, 50, hello.length]) {
          const { socket, closed } = await plainly(t, port);
          await new Promise((resolve) => socket.write(hello.subarray(0, cut), resolve));
          if (cut % 2 === 0) reset(socket);
          else socket.end();
          await closed;
        }
        assert.equal((await bystander.get('/')).body, 'hello');
        assert.equal((await new RawClient(t, port).get('/')).body, 'hello');
      },
    );

    test(`${name}: whoever does not finish the handshake is cut`, { skip }, async (t) => {
      const { port } = await listening(t, start, {});
      const hello = await clientHello(t);
      const idle = [0, 50, hello.length].map(async (length) => {
        const { socket, closed } = await plainly(t, port);
        socket.write(hello.subarray(0, length));
        await closed;
      });
      await Promise.all(idle);
    });

    test(`${name}: whoever does nothing after the handshake is cut`, { skip }, async (t) => {
      const { port } = await listening(t, start, {});
      const { closed, socket } = new RawClient(t, port);
      socket.resume();
      await closed;
    });
  }
});
