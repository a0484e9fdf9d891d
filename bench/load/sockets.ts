import { connect, type Socket } from 'node:net';

/** All sockets of a process read into the same buffer, one after the other: what is to be kept is copied. */
const INCOMING = Buffer.allocUnsafe(256 * 1024);

/**
 * The address to connect from: with thousands of connections from one and the same, the system searches longer and
 * longer for a free port. Only Linux has all of 127.0.0.0/8 without being told.
 */
function sourceAddress(host: string, index: number): { localAddress?: string } {
  if (process.platform !== 'linux' || host !== '127.0.0.1') return {};
  return { localAddress: `127.0.0.${String(2 + (index % 32))}` };
}

/**
 * Opens a TCP connection whose bytes are handed out as they come, borrowed until the callback returns.
 * @param from The address to connect from; where there is none, one of several by the index.
 */
export function openSocket(
  { port, host, index, from }: { port: number; host: string; index: number; from?: string | undefined },
  on: { connected: () => void; bytes: (bytes: Buffer) => void; closed: (reason: string) => void },
): Socket {
  const socket = connect({
    port,
    host,
    ...(from === undefined ? sourceAddress(host, index) : { localAddress: from }),
    noDelay: true,
    onread: {
      buffer: INCOMING,
      callback: (length) => {
        on.bytes(INCOMING.subarray(0, length));
        return true;
      },
    },
  });
  let reason = 'the connection was closed';
  socket.once('connect', on.connected);
  socket.once('error', (error) => (reason = error.message));
  socket.once('close', () => on.closed(reason));
  return socket;
}

/** Ends connections at once and by a reset, so that their ports are free again without delay. */
export async function cutAll(sockets: Iterable<Socket>): Promise<void> {
  let open = 0;
  await new Promise<void>((resolve) => {
    for (const socket of sockets) {
      if (socket.destroyed) continue;
      open += 1;
      let isOver = false;
      const over = (): void => {
        if (isOver) return;
        isOver = true;
        open -= 1;
        if (open === 0) resolve();
      };
      socket.once('close', over);
      // A reset that fails is not followed by a close.
      socket.once('error', over);
      if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
    if (open === 0) resolve();
  });
}
