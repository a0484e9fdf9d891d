import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { TestHub, TRANSPORTS } from '../support/hubs/test-hub.js';

/** Twice the 10 s that a request may take, and more for a machine that has other things to do. */
const DEADLINE_MS = 40_000;
const POST = 'POST /api/v1/advertisements HTTP/1.1\r\nHost: x\r\n';

/** What a client begins with, and what it adds each second; nothing where it is silent. */
const CLIENTS: Record<string, [begin: string, more: string]> = {
  'says nothing': ['', ''],
  'stops within its headers': ['GET /health HTTP/1.1\r\nHo', ''],
  'sends one header a second': ['GET /health HTTP/1.1\r\nHost: x\r\n', 'X-More: x\r\n'],
  'stops within its body': [`${POST}Content-Length: 1000\r\n\r\n`, ''],
  'sends one byte of its body a second': [`${POST}Content-Length: 1000\r\n\r\n`, 'x'],
  'sends one chunk a second': [`${POST}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n'],
};

// All at the same time, because each takes the real 10 s.
describe('clients that take their time are cut, whatever they trickle', { concurrency: true }, () => {
  for (const transport of TRANSPORTS) {
    test(transport, async () => {
      const hub = await TestHub.start({ TRANSPORT: transport });
      const cut = Object.entries(CLIENTS).map(async ([what, [begin, more]]) => {
        const socket = connect(hub.hub.port, '127.0.0.1');
        // A reset is one way to be cut.
        socket.on('error', () => undefined).resume();
        socket.write(begin);
        const trickle = setInterval(() => socket.write(more), 1000);
        const late = setTimeout(() => socket.destroy(new Error('late')), DEADLINE_MS);
        let isLate = false;
        socket.once('error', ({ message }) => (isLate = message === 'late'));
        await once(socket, 'close');
        clearInterval(trickle);
        clearTimeout(late);
        assert.equal(isLate, false, `one that ${what} was still connected`);
      });
      await Promise.all(cut);
      assert.equal((await hub.get('/health')).status, 200);
      await hub.stop();
    });
  }
});
