import assert from 'node:assert/strict';
import type { Watch } from '../../src/client/node.js';
import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import type { StreamEvent } from '../../src/protocol/frames/frames-down.js';
import { StreamView } from '../conformance/websocket-watcher.js';
import type { HubProcess } from '../process/hub-process.js';
import { TestKey } from '../support/data/keys.js';
import { ADVERTISEMENT, type CodecName, type ErrorAnswer } from '../support/hubs/test-hub.js';
import { type Frame, TestSocket } from '../support/clients/test-socket.js';
import { until } from './faulty-hub.js';

const LIST = '/api/v1/advertisements';

/** A signed request over HTTP that can be sent as often as one likes. */
export interface SignedRequest {
  method: 'POST' | 'DELETE';
  path: string;
  init: RequestInit;
}

export interface RemoteAnswer {
  status: number;
  body: PublishedAdvertisement & ErrorAnswer;
}

/** Opens a WebSocket to a hub in another process; `welcome` has not been read yet. */
export function connect(hub: HubProcess, codec: CodecName = 'json'): Promise<TestSocket> {
  return TestSocket.open(`${hub.url.replace('http', 'ws')}/api/v1/ws`, codec);
}

/** A provider of a hub in another process. Each time it signs is later than the one before. */
export class RemoteProvider {
  readonly key = new TestKey();
  readonly id: string;
  /** Its own wall clock. */
  wall: () => number = () => Date.now();
  #lastT = 0;

  /** @param id Its public key unless given. */
  constructor(id?: string) {
    this.id = id ?? this.key.publicKey;
  }

  nextT(): number {
    this.#lastT = Math.max(this.#lastT + 1, this.wall());
    return this.#lastT;
  }

  /** A request to publish the usual advertisement with some members changed, or to withdraw. */
  signed(changes: object | 'withdraw' = {}, t = this.nextT()): SignedRequest {
    if (changes === 'withdraw') {
      const headers = this.key.headers('withdraw', this.id, t, '');
      return { method: 'DELETE', path: `${LIST}/${this.id}`, init: { headers } };
    }
    const body = JSON.stringify({ ...ADVERTISEMENT, ...changes });
    const headers = {
      'Content-Type': 'application/json',
      ...this.key.headers('advertise', this.id, t, body),
    };
    return { method: 'POST', path: LIST, init: { headers, body } };
  }

  /** The same as a frame for an open session. */
  frame(changes: object | 'withdraw' = {}, t = this.nextT()): Frame {
    if (changes === 'withdraw') {
      return { type: 'withdraw', id: 'w', t, signature: this.key.sign('withdraw', this.id, t, '') };
    }
    const payload = JSON.stringify({ ...ADVERTISEMENT, ...changes });
    return {
      type: 'advertise',
      id: 'a',
      payload,
      t,
      signature: this.key.sign('advertise', this.id, t, payload),
    };
  }

  post(hub: HubProcess, changes: object | 'withdraw' = {}, t = this.nextT()): Promise<RemoteAnswer> {
    return send(hub, this.signed(changes, t));
  }

  /** Opens an authenticated session. */
  async join(hub: HubProcess, codec: CodecName = 'json'): Promise<TestSocket> {
    const socket = await connect(hub, codec);
    const { nonce } = await socket.next('welcome');
    const t = this.nextT();
    const { host } = new URL(hub.url);
    const signature = this.key.sign('session', this.id, t, `${String(nonce)}\n${host}`);
    const { publicKey } = this.key;
    socket.send({ type: 'authenticate', id: 1, provider_id: this.id, public_key: publicKey, t, signature });
    await socket.next('authenticated');
    return socket;
  }

  /** What anybody sees of it now; null when there is nothing. */
  async seen(hub: HubProcess): Promise<PublishedAdvertisement | null> {
    const { status, body } = await hub.request<PublishedAdvertisement>('GET', `${LIST}/${this.id}`);
    return status === 404 ? null : body;
  }
}

/** Sends a signed request. */
export function send(hub: HubProcess, { method, path, init }: SignedRequest): Promise<RemoteAnswer> {
  return hub.request<PublishedAdvertisement & ErrorAnswer>(method, path, init);
}

/** All that a hub lists. */
export async function list(hub: HubProcess): Promise<PublishedAdvertisement[]> {
  return (await hub.request<PublishedAdvertisement[]>('GET', LIST)).body;
}

/** A subscriber to everything that a hub in another process tells. */
export class RemoteWatcher {
  readonly socket: TestSocket;
  readonly #state: StreamView;

  private constructor(socket: TestSocket, state: StreamView) {
    this.socket = socket;
    this.#state = state;
  }

  static async join(hub: HubProcess, codec: CodecName = 'json'): Promise<RemoteWatcher> {
    const socket = await connect(hub, codec);
    await socket.next('welcome');
    socket.send({ type: 'subscribe', id: 'watch', filter: {} });
    const state = new StreamView(await socket.next('subscribed'));
    while (!state.complete) state.apply(await socket.next('snapshot'));
    return new RemoteWatcher(socket, state);
  }

  get view(): ReadonlyMap<string, PublishedAdvertisement> {
    return this.#state.view;
  }

  /** All that the hub had to say until now. */
  async events(): Promise<StreamEvent[]> {
    return (await this.socket.settle()).flatMap((frame) => this.#state.apply(frame));
  }

  /** Waits for the next events. */
  async next(): Promise<StreamEvent[]> {
    for (;;) {
      const events = this.#state.apply(await this.socket.any());
      if (events.length > 0) return events;
    }
  }

  /** What it holds is what the hub lists. Both show the same heartbeats only once nothing changes any more. */
  async agreesWith(hub: HubProcess): Promise<void> {
    await this.events();
    assert.deepEqual(essence(this.view), (await list(hub)).map(essenceOf));
  }
}

/** Resolves when a watch holds what the list says; the last changes may still be on their way. */
export async function agrees(watcher: Watch, read: () => Promise<PublishedAdvertisement[]>): Promise<void> {
  await until(
    'agreement of the watcher with the list',
    async () => [essence(watcher.providers), (await read()).map(essenceOf)],
    ([held, listed]) => JSON.stringify(held) === JSON.stringify(listed),
  );
}

/** What heartbeats do not change, in the order of a list. */
function essence(providers: ReadonlyMap<string, PublishedAdvertisement>): unknown[] {
  return [...providers.values()].sort((a, b) => (a.provider_id < b.provider_id ? -1 : 1)).map(essenceOf);
}

function essenceOf({ provider_id, status, resources }: PublishedAdvertisement): unknown {
  return [provider_id, status, resources];
}
