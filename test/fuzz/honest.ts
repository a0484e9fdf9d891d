import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  generateKey,
  ProviderSession,
  type PublishedAdvertisement,
  type Watch,
  watch,
} from '../../src/client/node.js';
import { TestKey } from '../support/data/keys.js';
import { Metrics } from '../support/clients/prometheus.js';
import { ADVERTISEMENT } from '../support/hubs/test-hub.js';
import type { FuzzHub } from './fuzz-hub.js';
import { Speaker } from './speaker.js';

const LIST = '/api/v1/advertisements';
const PATIENCE_MS = 30_000;

/** Clients that want nothing but the service, while others fuzz the hub. */
export class HonestClients {
  readonly #hub: FuzzHub;
  readonly #session: ProviderSession;
  readonly #watches: readonly Watch[];
  readonly #plain: Speaker;
  readonly #lost: string[] = [];
  #posts = 0;

  private constructor(hub: FuzzHub) {
    this.#hub = hub;
    const { url } = hub.process;
    this.#session = new ProviderSession(url, { key: generateKey(), advertisement: ADVERTISEMENT });
    this.#watches = [watch(url, {}, { codec: 'json' }), watch(url, {}, { codec: 'msgpack' })];
    const note = ({ state }: { state: string }): void => {
      if (state === 'waiting' || state === 'refused' || state === 'replaced') this.#lost.push(state);
    };
    this.#session.on('state', note);
    for (const one of this.#watches) one.on('state', note);
    const key = new TestKey();
    this.#plain = new Speaker(key, key.publicKey, hub.host);
  }

  /** Connects them; with the end of the test they go, because those of a test that failed would keep its process. */
  static async join(hub: FuzzHub, test: TestContext): Promise<HonestClients> {
    const clients = new HonestClients(hub);
    test.after(() => clients.stop());
    clients.#session.start();
    await clients.#session.published();
    await Promise.all(clients.#watches.map((one) => one.ready));
    return clients;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#session, ...this.#watches].map((one) => one.stop()));
  }

  /** Everybody is served as if nobody else were there, and all see the same. */
  async check(): Promise<void> {
    assert.deepEqual(this.#lost, [], 'no honest client lost its connection');
    await this.#checkPlain();
    const seen = await this.#get<PublishedAdvertisement>(`${LIST}/${this.#session.providerId}`);
    const { ip_address, country, resources, status } = seen;
    assert.deepEqual({ ip_address, country, resources, status }, { ...ADVERTISEMENT, status: 'live' });
    for (const one of this.#watches) await this.#agrees(one);
  }

  /** Nobody is connected any more but these. */
  async checkGone(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const metrics = new Metrics(await (await fetch(`${this.#hub.process.url}/metrics`)).text());
      const names = [
        'connections',
        'sessions',
        'subscribers',
        'streams',
        'queue_bytes',
        'verifications_pending',
      ];
      const values = names.map((name) => metrics.value(`discovery_${name}`));
      if (JSON.stringify(values) === JSON.stringify([3, 1, 2, 1, 0, 0])) return;
      assert.ok(Date.now() < deadline, `${names.join()} stayed ${values.join()}`);
      await delay(20);
    }
  }

  async #checkPlain(): Promise<void> {
    this.#posts += 1;
    const resources = { cpu: 1 + (this.#posts % 4000), memory: 3, storage: 5 };
    const body = JSON.stringify({ ...ADVERTISEMENT, resources, payments_network: 'honest only' });
    const id = this.#plain.id;
    const posted = await this.#hub.process.request<PublishedAdvertisement>('POST', LIST, {
      headers: { 'Content-Type': 'application/json', ...this.#plain.headers('advertise', body) },
      body,
    });
    assert.equal(posted.status, 200, JSON.stringify(posted.body));
    assert.deepEqual(posted.body.resources, resources);
    assert.deepEqual(await this.#get(`${LIST}/${id}`), posted.body);
    assert.deepEqual(await this.#get(`${LIST}?payments_network=honest%20only`), [posted.body]);
    if (this.#posts % 2 === 1) return;
    const headers = this.#plain.headers('withdraw', '');
    const { status } = await this.#hub.process.request('DELETE', `${LIST}/${id}`, { headers });
    assert.equal(status, 200);
    assert.deepEqual(await this.#get(`${LIST}?payments_network=honest%20only`), []);
  }

  async #get<Body>(path: string): Promise<Body> {
    const { status, body } = await this.#hub.process.request<Body>('GET', path);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }

  /** A watch holds what the list says; the last changes may still be on their way. */
  async #agrees(one: Watch): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    // Heartbeats alone are no changes.
    const essence = ({ updated_at: _, expires_at: __, ...rest }: PublishedAdvertisement): unknown => rest;
    for (;;) {
      const listed = (await this.#get<PublishedAdvertisement[]>(LIST)).map(essence);
      const held = [...one.providers.values()]
        .sort((a, b) => (a.provider_id < b.provider_id ? -1 : 1))
        .map(essence);
      try {
        assert.deepEqual(held, listed);
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
      await delay(10);
    }
  }
}
