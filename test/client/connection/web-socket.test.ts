import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { platformWebSocket, type SocketClosure } from '../../../src/client/connection/web-socket.js';

/** A browser's WebSocket, as far as the client uses it. */
class BrowserSocket extends EventTarget {
  static last: BrowserSocket;
  binaryType = '';
  readyState = 0;
  readonly closes: number[] = [];

  constructor() {
    super();
    BrowserSocket.last = this;
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }

  say(data: string): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }

  send(): void {
    assert.fail('nothing is sent here');
  }

  close(code: number): void {
    this.closes.push(code);
  }

  closed(code: number): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason: '' }));
  }
}

const globals = globalThis as { WebSocket?: unknown };
const { WebSocket: before } = globals;
beforeEach(() => (globals.WebSocket = BrowserSocket));
afterEach(() => {
  if (before === undefined) delete globals.WebSocket;
  else globals.WebSocket = before;
});

function open(): { heard: unknown[]; ends: SocketClosure[]; socket: ReturnType<typeof platformWebSocket> } {
  const heard: unknown[] = [];
  const ends: SocketClosure[] = [];
  const socket = platformWebSocket('ws://hub', 'json', {
    message: (data) => heard.push(data),
    alive: () => undefined,
    closed: (closure) => ends.push(closure),
  });
  return { heard, ends, socket };
}

test('a socket that is given up before it is open is closed once it is, so that the browser has nothing to complain of', async () => {
  const { heard, ends, socket } = open();
  const platform = BrowserSocket.last;
  socket.close();
  assert.deepEqual(platform.closes, []);
  await Promise.resolve();
  assert.deepEqual(ends, [{ code: 1006, reason: '' }]);
  platform.open();
  platform.say('welcome');
  platform.closed(1000);
  assert.deepEqual(platform.closes, [1000]);
  assert.deepEqual([heard, ends.length], [[], 1]);
});

test('an open socket is closed at once, and tells how it ended', () => {
  const { heard, ends, socket } = open();
  const platform = BrowserSocket.last;
  platform.open();
  platform.say('welcome');
  socket.close();
  assert.deepEqual(platform.closes, [1000]);
  platform.closed(1000);
  assert.deepEqual([heard, ends], [['welcome'], [{ code: 1000, reason: '' }]]);
});
