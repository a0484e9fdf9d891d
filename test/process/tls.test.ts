import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FIRST_CERTIFICATE, SECOND_CERTIFICATE } from '../data/certificates.js';
import { NO_TERMINAL, plain, runPiped, Terminal } from '../cli/pseudo-terminal.js';
import { TestKey } from '../support/data/keys.js';
import { TestSocket } from '../support/clients/test-socket.js';
import { presentedBy, secureFetch, TRUSTED, writeCertificate } from '../support/clients/tls.js';
import { ADVERTISEMENT, TRANSPORTS } from '../support/hubs/test-hub.js';
import { HubProcess, scratchFolder } from './hub-process.js';

const SECOND = new X509Certificate(SECOND_CERTIFICATE.cert).fingerprint256;
const FIRST = new X509Certificate(FIRST_CERTIFICATE.cert).fingerprint256;

/** Settings relative to the folder that a hub runs in. */
const TLS = { TLS_CERT: 'hub.crt', TLS_KEY: 'hub.key' };

async function session(hub: HubProcess, key: TestKey): Promise<TestSocket> {
  const host = `127.0.0.1:${String(hub.port)}`;
  const socket = await TestSocket.open(`wss://${host}/api/v1/ws`, 'json', { ca: TRUSTED });
  const { nonce } = await socket.next('welcome');
  const t = Date.now();
  const signature = key.sign('session', key.publicKey, t, `${nonce as string}\n${host}`);
  socket.send({ type: 'authenticate', id: 1, provider_id: key.publicKey, t, signature });
  await socket.next('authenticated');
  return socket;
}

describe('a hub with TLS', { concurrency: true }, () => {
  for (const transport of TRANSPORTS) {
    test(`${transport}: SIGHUP renews the certificate, and an open session does not notice`, async (t) => {
      const folder = scratchFolder(t);
      writeCertificate(folder, FIRST_CERTIFICATE);
      const hub = await HubProcess.start(folder, { ...TLS, TRANSPORT: transport });
      assert.match(hub.output, new RegExp(FIRST));
      const key = new TestKey();
      const provider = await session(hub, key);
      assert.equal(await presentedBy(hub.port), FIRST);

      writeCertificate(folder, SECOND_CERTIFICATE);
      hub.child.kill('SIGHUP');
      await hub.wrote(new RegExp(`${SECOND}.*new connections get this certificate`));
      assert.equal(await presentedBy(hub.port), SECOND);

      writeFileSync(join(folder, 'hub.crt'), FIRST_CERTIFICATE.cert);
      hub.child.kill('SIGHUP');
      await hub.wrote(
        /stays as it was.*DISCOVERY_TLS_KEY=hub\.key: this key does not belong to the certificate/,
      );
      assert.equal(await presentedBy(hub.port), SECOND);

      const advertisement = JSON.stringify(ADVERTISEMENT);
      const at = Date.now();
      provider.send({
        type: 'advertise',
        id: 2,
        payload: advertisement,
        t: at,
        signature: key.sign('advertise', key.publicKey, at, advertisement),
      });
      await provider.next('advertised');
      const list = await secureFetch(`https://127.0.0.1:${String(hub.port)}/api/v1/advertisements`, {});
      assert.deepEqual(
        ((await list.json()) as { provider_id: string; status: string }[]).map((each) => [
          each.provider_id,
          each.status,
        ]),
        [[key.publicKey, 'live']],
      );
      assert.equal(await hub.stop(), 0);
      assert.equal(await provider.closeCode(), 4503);
    });
  }

  test('without TLS, SIGHUP changes nothing', async (t) => {
    const hub = await HubProcess.start(scratchFolder(t));
    hub.child.kill('SIGHUP');
    await hub.wrote(/SIGHUP: there is no certificate to read again/);
    assert.equal((await hub.request('GET', '/health')).status, 200);
    assert.equal(await hub.stop(), 0);
  });

  test('a terminal that is closed ends its hub', { skip: NO_TERMINAL }, async (t) => {
    const folder = scratchFolder(t);
    const environment = {
      DISCOVERY_HOST: '127.0.0.1',
      DISCOVERY_PORT: '0',
      DISCOVERY_DB_URL: 'sqlite:///hub.db',
      DISCOVERY_DRAIN_SECONDS: '0',
    };
    const terminal = new Terminal(['serve'], { columns: 120, cwd: folder, env: environment });
    await terminal.shows(/the hub is listening/);
    const port = /"port":(\d+)/.exec(plain(terminal.screen))?.[1];
    assert.equal((await fetch(`http://127.0.0.1:${String(port)}/health`)).status, 200);
    terminal.close();
    await assert.rejects(async () => {
      for (;;) await fetch(`http://127.0.0.1:${String(port)}/health`);
    });
  });

  test('files that cannot be used stop the start with the status of a setting', async (t) => {
    const folder = scratchFolder(t);
    writeCertificate(folder, FIRST_CERTIFICATE);
    const hub = HubProcess.spawn(folder, { ...TLS, TLS_KEY: 'nowhere.key' });
    assert.equal((await hub.exited).code, 78);
    assert.match(
      hub.output,
      /DISCOVERY_TLS_KEY=nowhere\.key: there is no such file; give the path of a PEM file/,
    );
  });

  test('the client trusts a certificate of one’s own by NODE_EXTRA_CA_CERTS', async (t) => {
    const folder = scratchFolder(t);
    writeCertificate(folder, FIRST_CERTIFICATE);
    const hub = await HubProcess.start(folder, { ...TLS });
    const url = `https://127.0.0.1:${String(hub.port)}`;
    const trusting = { NODE_EXTRA_CA_CERTS: 'hub.crt', DISCOVERY_URL: url, DISCOVERY_KEY: 'key.pem' };

    const doctor = runPiped(['doctor', url], folder, trusting);
    assert.equal((await doctor.exited).code, 0, doctor.output);
    const provider = runPiped(
      ['advertise', '--country', 'SE', '--ip', '192.0.2.7', '--withdraw-on-stop'],
      folder,
      trusting,
    );
    const watcher = runPiped(['watch'], folder, trusting);
    await watcher.wrote(/"192\.0\.2\.7"/);
    assert.equal(await provider.stop('SIGINT'), 0);
    await watcher.wrote(/withdrawn/);
    await watcher.kill();

    const wary = runPiped(['doctor', url], folder);
    assert.equal((await wary.exited).code, 1);
    assert.match(wary.output, /self-signed certificate/);
    assert.match(wary.output, /NODE_EXTRA_CA_CERTS/);
    const mistaken = runPiped(['doctor', url.replace('https', 'http')], folder, trusting);
    assert.equal((await mistaken.exited).code, 1);
  });
});
