import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Packr } from 'msgpackr';
import type { PublishedAdvertisement } from '../../src/protocol/advertisement.js';
import type { OpenLog } from '../../src/registry/log.js';
import { TestKey } from '../support/data/keys.js';
import { MemoryDisk, MemoryLog } from '../support/worlds/memory-log.js';
import {
  ADVERTISEMENT,
  CODEC_NAMES,
  type CodecName,
  nextT,
  TestHub,
  TRANSPORTS,
  type TransportName,
} from '../support/hubs/test-hub.js';
import type { Frame, SocketOptions, TestSocket } from '../support/clients/test-socket.js';

/** One of the combinations that all have to behave alike. */
export interface Pair {
  transport: TransportName;
  codec: CodecName;
  /** What is tested, where a hub is its own. */
  topic?: string;
}

/** The logs on which a hub has to behave alike. */
export const LOG_NAMES = ['SQLite', 'in memory'] as const;
export type LogName = (typeof LOG_NAMES)[number];

/** Undefined for what a hub uses by itself. */
const openLogs: Record<LogName, () => OpenLog | undefined> = {
  SQLite: () => undefined,
  'in memory': () => MemoryLog.in(new MemoryDisk()),
};

/** The suite is one function, run for every transport with every codec. */
export function forEachPair(topic: string, suite: (pair: Pair) => void): void {
  for (const transport of TRANSPORTS) {
    for (const codec of CODEC_NAMES) {
      describe(`${topic}: ${transport}, ${codec}`, () => {
        suite({ transport, codec, topic });
      });
    }
  }
}

const hubs = new Map<string, Promise<TestHub>>();
// All at once at the end, because a stopping hub takes its time to let last answers leave.
after(async () => {
  await Promise.all([...hubs.values()].map(async (hub) => (await hub).stop()));
});

/**
 * A hub for the tests of the surrounding `describe`. The codecs share it, so tests have to be content with others
 * around, unless it is their own.
 */
export function useHub(
  { transport, codec, topic = '' }: Pair,
  settings: Record<string, string> = {},
  options: { own?: boolean; log?: LogName } = {},
): () => TestHub {
  const { log = 'SQLite' } = options;
  const key = JSON.stringify([transport, settings, options.own === true ? `${topic} ${codec}` : '', log]);
  let hub: TestHub | undefined;
  before(async () => {
    const started =
      hubs.get(key) ?? TestHub.start({ TRANSPORT: transport, ...settings }, { openLog: openLogs[log]() });
    hubs.set(key, started);
    hub = await started;
  });
  return () => {
    assert.ok(hub);
    return hub;
  };
}

let lastNumber = 0;

/** A text that no other test uses: as a payments network it keeps the advertisements of tests apart. */
export function unique(prefix = 'net'): string {
  lastNumber += 1;
  return `${prefix}-${String(lastNumber)}`;
}

/** Waits until something holds that nobody announces. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it never came true that ${what}`);
    await sleep(1);
  }
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export function assertIsoTime(value: unknown): void {
  assert.match(value as string, ISO_TIME);
}

/** An error frame as every one has to be: with code, message and time, and the id of its request if there is one. */
export function assertError(frame: Frame, code: string, id?: string | number): string {
  const said = JSON.stringify(frame);
  assert.equal(frame['type'], 'error', said);
  assert.equal(frame['code'], code, said);
  assert.deepEqual(
    Object.keys(frame).sort(),
    ['code', ...(id === undefined ? [] : ['id']), 'message', 'timestamp', 'type'],
    said,
  );
  assert.equal(frame['id'], id, said);
  assertIsoTime(frame['timestamp']);
  const message = frame['message'] as string;
  assert.ok(typeof message === 'string' && message.length > 0, said);
  assert.doesNotMatch(message, /\p{Surrogate}/u, 'a message is well-formed Unicode');
  return message;
}

/** Sends a request that has to be refused while the connection stays open; returns the message. */
export async function refused(socket: TestSocket, frame: Frame, code: string): Promise<string> {
  socket.send(frame);
  const message = assertError(await socket.next('error'), code, frame['id'] as string | number);
  assert.deepEqual(await socket.settle(), []);
  return message;
}

/** The hub closes with this code, and before that says nothing but why. */
export async function closesWith(socket: TestSocket, code: number): Promise<void> {
  assert.equal(await socket.closeCode(), code);
  for (const frame of socket.frames) {
    assertError(frame, frame['code'] as string, frame['id'] as string | number | undefined);
  }
}

/** The hub still serves, whatever was done to it before. */
export async function assertServes(hub: TestHub, codec: CodecName): Promise<void> {
  const socket = await greet(hub, codec);
  assert.deepEqual(await socket.settle(), []);
  socket.close();
}

/** A connection whose welcome has been read. */
export async function greet(
  hub: TestHub,
  codec: CodecName,
  options: SocketOptions = {},
): Promise<TestSocket> {
  const { socket } = await greetWithNonce(hub, codec, options);
  return socket;
}

export async function greetWithNonce(
  hub: TestHub,
  codec: CodecName,
  options: SocketOptions = {},
): Promise<{ socket: TestSocket; nonce: string }> {
  const socket = await hub.connect(codec, options);
  const { nonce } = await socket.next('welcome');
  return { socket, nonce: nonce as string };
}

/** What an `authenticate` frame is made of, where it is not what it should be. */
export interface SessionClaim {
  providerId?: string;
  /** Null leaves it out. */
  publicKey?: string | null;
  host?: string;
  t?: number;
  /** What is signed, where it is not what is sent. */
  signed?: { action?: 'session' | 'advertise' | 'withdraw'; providerId?: string; t?: number };
}

export function sessionFrame(hub: TestHub, key: TestKey, nonce: string, claim: SessionClaim = {}): Frame {
  const { providerId = key.publicKey, publicKey = key.publicKey, host = hub.host } = claim;
  const { t = nextT(hub.clock), signed = {} } = claim;
  const signature = key.sign(
    signed.action ?? 'session',
    signed.providerId ?? providerId,
    signed.t ?? t,
    `${nonce}\n${host}`,
  );
  const frame = { type: 'authenticate', id: 'who', provider_id: providerId, t, signature };
  return publicKey === null ? frame : { ...frame, public_key: publicKey };
}

/** A provider with an open session. */
export class Provider {
  readonly hub: TestHub;
  readonly key: TestKey;
  readonly id: string;
  readonly socket: TestSocket;
  /** The advertisement on file when the session began. */
  readonly onFile: PublishedAdvertisement | null;

  private constructor(hub: TestHub, key: TestKey, id: string, socket: TestSocket, answer: Frame) {
    this.hub = hub;
    this.key = key;
    this.id = id;
    this.socket = socket;
    this.onFile = answer['advertisement'] as PublishedAdvertisement | null;
  }

  static async join(
    hub: TestHub,
    codec: CodecName,
    options: SocketOptions & { key?: TestKey; id?: string } = {},
  ): Promise<Provider> {
    const { key = new TestKey(), ...rest } = options;
    const { id = key.publicKey, ...socketOptions } = rest;
    const { socket, nonce } = await greetWithNonce(hub, codec, socketOptions);
    socket.send(sessionFrame(hub, key, nonce, { providerId: id }));
    return new Provider(hub, key, id, socket, await socket.next('authenticated'));
  }

  /** The same provider once more, on a new connection. */
  rejoin(options: SocketOptions = {}): Promise<Provider> {
    return Provider.join(this.hub, this.socket.codec, { ...options, key: this.key, id: this.id });
  }

  /** A signed `advertise` frame: the usual advertisement with some members changed, or any text. */
  advertiseFrame(changes: object | string = {}, t = nextT(this.hub.clock)): Frame {
    const payload = typeof changes === 'string' ? changes : { ...ADVERTISEMENT, ...changes };
    return this.hub.signedFrame('advertise', this.key, this.id, payload, t);
  }

  withdrawFrame(t = nextT(this.hub.clock)): Frame {
    return this.hub.signedFrame('withdraw', this.key, this.id, '', t);
  }

  async advertise(changes: object = {}): Promise<PublishedAdvertisement> {
    this.socket.send(this.advertiseFrame(changes));
    return (await this.socket.next('advertised'))['advertisement'] as PublishedAdvertisement;
  }

  async withdraw(): Promise<void> {
    this.socket.send(this.withdrawFrame());
    await this.socket.next('withdrawn');
  }

  /** What anybody sees of it now; null when there is nothing. */
  async seen(): Promise<PublishedAdvertisement | null> {
    const { status, body } = await this.hub.get(`/api/v1/advertisements/${encodeURIComponent(this.id)}`);
    return status === 404 ? null : (body as PublishedAdvertisement);
  }
}

/** Has so many providers advertise, past the wire, which would take most of the time of a test. */
export async function fill(hub: TestHub, count: number, changes: object = {}): Promise<void> {
  const key = new TestKey();
  const payload = JSON.stringify({ ...ADVERTISEMENT, ...changes });
  const prefix = unique('filler');
  await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const providerId = `${prefix}-${String(index)}`;
      const t = nextT(hub.clock);
      const signature = key.sign('advertise', providerId, t, payload);
      const claim = { signed: true, providerId, publicKey: key.publicKey, t, signature } as const;
      return hub.hub.gateway.writePath.advertise(claim, Buffer.from(payload), null);
    }),
  );
}

const packr = new Packr({ useRecords: false, useToJSON: false });

/** The bytes of any value in a codec; in JSON, an infinity is a number that is too large. */
export function encode(codec: CodecName, value: unknown): Uint8Array {
  if (codec === 'msgpack') return packr.pack(value);
  const text = JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'number' && Math.abs(member) === Infinity ? `${member > 0 ? '' : '-'}1e400` : member,
  );
  return Buffer.from(text.replace(/"(-?1e400)"/g, '$1'));
}

/** Sends bytes in the kind of message that the connection's codec uses. */
export function sendBytes(socket: TestSocket, bytes: Uint8Array): void {
  socket.sendRaw(bytes, socket.codec === 'msgpack');
}
