import { setTimeout as pause } from 'node:timers/promises';
import { SigningKey } from '../load/keys.js';
import { clientFrame } from '../load/web-socket.js';
import { type Attacker, jsonFrame } from './attacker.js';

/** An attack from one address, and the hub's documented bound on it. */
export interface Attack {
  name: string;
  /** The bound, as in docs/operations.md. */
  bound: string;
  /** Runs the attack to its end; throws BoundError if the hub did not keep the bound. */
  run(attacker: Attacker): Promise<void>;
}

const LIST = '/api/v1/advertisements';
/** The most bytes that the operating system buffers for a reader. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;
/** First bytes of frames: a complete ping, and a text that continues in further frames. */
const PING = 0x89;
const UNFINISHED_TEXT = 0x01;

const get = (path: string, method = 'GET'): string => `${method} ${path} HTTP/1.1\r\nHost: hub\r\n\r\n`;

/** A filter that most rows match, different each time. */
const largeFilter = (number: number): object => ({ max_glm_per_month: 1_000_000 + number });

const subscribes = (count: number, first: number): Buffer[] =>
  Array.from({ length: count }, (_, id) =>
    jsonFrame({ type: 'subscribe', id, filter: largeFilter(first + id) }),
  );

function signedRequest(
  method: string,
  body: string,
  signature: (key: SigningKey, t: number) => string,
): string {
  const key = new SigningKey();
  const t = Date.now();
  return (
    `${method} ${LIST}${method === 'DELETE' ? `/${key.id}` : ''} HTTP/1.1\r\nHost: hub\r\n` +
    `X-Provider-ID: ${key.id}\r\nX-Provider-Signature: t=${String(t)},k=${key.id},v1=${signature(key, t)}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`
  );
}

export const ATTACKS: readonly Attack[] = [
  {
    name: 'waiting snapshots',
    bound: 'WS_003 above 64 subscriptions of a connection; snapshots wait without their rows',
    async run(attacker) {
      for (let at = 0; at < 8; at += 1) attacker.webSocket(subscribes(64, at * 64), { reads: false });
      attacker.webSocket(subscribes(65, 1000));
      await attacker.repeat(100, () => undefined);
      await attacker.expect('WS_003');
    },
  },
  {
    name: 'many subscriptions',
    bound: 'RATE_006 above 1000 begun subscriptions, or 4529 above 600 messages of a connection',
    async run(attacker) {
      for (let at = 0; at < 20; at += 1) attacker.webSocket(subscribes(60, 2000 + at * 60));
      await attacker.repeat(100, () => undefined);
      await attacker.expect('RATE_006', 'WS_004', '429');
    },
  },
  {
    name: 'resumes',
    bound: '4529 above 600 messages of a connection',
    async run(attacker) {
      let sent = 0;
      const socket = attacker.webSocket([jsonFrame({ type: 'subscribe', id: 1, filter: { cpu: 1000 } })], {
        onFrame: ({ cursor }) => {
          if (typeof cursor !== 'string' || sent > 0) return;
          for (; sent < 700; sent += 1)
            socket.send(jsonFrame({ type: 'subscribe', id: sent, filter: { cpu: 1 }, resume: cursor }));
        },
      });
      await attacker.repeat(50, () => undefined);
      await attacker.expect('4529', 'RATE_006');
    },
  },
  {
    name: 'sorted lists',
    bound: '429 above 100 requests in a minute; lists are made in steps, in turns by address',
    async run(attacker) {
      await attacker.repeat(1000, () => {
        for (let at = 0; at < 60; at += 1) {
          const path = `${LIST}?sort=price&cpu=${String((at % 5) + 1)}`;
          attacker.open(get(path, 'HEAD'));
          attacker.open(get(`${path}&limit=20`));
        }
      });
      await attacker.expect('429');
    },
  },
  {
    name: 'pings',
    bound: '4529 above 600 messages of a connection, control frames included',
    async run(attacker) {
      const many = Buffer.concat(Array.from({ length: 5000 }, () => clientFrame('', PING)));
      let socket = attacker.webSocket([many]);
      await attacker.repeat(20, () => {
        if (socket.socket.destroyed && attacker.closed < 50) socket = attacker.webSocket([many]);
        else if (socket.socket.writableLength < 1_000_000) socket.send(many);
      });
      await attacker.expect('4529');
    },
  },
  {
    name: 'pipelined requests',
    bound: '429 above 100 requests in a minute; a connection that goes on is closed',
    async run(attacker) {
      const many = get(`${LIST}?limit=1`).repeat(1000);
      await attacker.repeat(50, () => {
        attacker.open(many);
      });
      await attacker.expect('429');
      await attacker.expectClosed(1);
    },
  },
  {
    name: 'silent connections',
    bound: 'closed above 128 that have not sent a request',
    async run(attacker) {
      for (let at = 0; at < 700; at += 1) attacker.open();
      await attacker.repeat(100, () => undefined);
      await attacker.expectClosed(500);
    },
  },
  {
    name: 'slow readers',
    bound: '503 above 8 long lists of an address; cut after 10 s without progress, or below 32 KiB a second',
    async run(attacker) {
      for (let at = 0; at < 40; at += 1) attacker.open(get(LIST), { reads: false });
      await pause(500);
      // A client that has not read its other lists gets no further one.
      attacker.open(get(LIST));
      await attacker.repeat(100, () => undefined);
      await attacker.expect('503', '200');
      // Short lists fit in the operating system's buffers, and so take no places.
      if (attacker.received > MAX_HELD_BYTES) await attacker.expect('503');
    },
  },
  {
    name: 'unfinished messages',
    bound: '1009 above the frame limit; 4408 after 10 s',
    async run(attacker) {
      const part = clientFrame('x'.repeat(60_000), UNFINISHED_TEXT);
      for (let at = 0; at < 90; at += 1) attacker.webSocket([part]);
      attacker.webSocket([
        clientFrame('x'.repeat(65_535), UNFINISHED_TEXT),
        clientFrame('y'.repeat(65_535), 0),
      ]);
      await attacker.repeat(100, () => undefined);
      await attacker.expectClosed(1);
    },
  },
  {
    name: 'large filters',
    bound: 'WS_003 or WS_004: a filter counts for each 16 values',
    async run(attacker) {
      for (let at = 0; at < 20; at += 1) {
        const platform = Array.from(
          { length: 256 },
          (_, word) => `${String(at)}-${String(word)}-${'x'.repeat(20)}`,
        );
        attacker.webSocket(
          Array.from({ length: 60 }, (_, id) =>
            jsonFrame({ type: 'subscribe', id, filter: { platform: [String(id), ...platform.slice(1)] } }),
          ),
        );
      }
      await attacker.repeat(100, () => undefined);
      await attacker.expect('WS_003', 'WS_004', 'RATE_006');
    },
  },
  {
    name: 'withdrawals of fresh keys',
    bound: '429 above 100 requests in a minute',
    async run(attacker) {
      for (let at = 0; at < 150; at += 1) {
        attacker.open(
          signedRequest('DELETE', '', (key, t) => key.sign('withdraw', t, '').signature.toString('hex')),
        );
        await pause(1);
      }
      await attacker.repeat(100, () => undefined);
      await attacker.expect('429');
    },
  },
  {
    name: 'invalid signatures',
    bound: '429 above 100 requests or invalid signatures in a minute',
    async run(attacker) {
      await attacker.repeat(20, () => {
        for (let at = 0; at < 20; at += 1) attacker.open(signedRequest('POST', '{}', () => 'ab'.repeat(64)));
      });
      await attacker.expect('429');
    },
  },
];
