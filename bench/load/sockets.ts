import { connect, type Socket } from 'node:net';

/** All sockets of a process read into the same buffer, one after the other; copy what you keep. */
const INCOMING = Buffer.allocUnsafe(256 * 1024);

/**
 * The address to connect from. With thousands of connections from a single address, the system searches ever longer for a free port. Only Linux
 * has all of 127.0.0.0/8 without configuration.
 */
function sourceAddress(host: string, index: number): { localAddress?: string } {
  if (process.platform !== 'linux' || host !== '127.0.0.1') return {};
  return { localAddress: `127.0.0.${String(2 + (index % 32))}` };
}

/**
 * Opens a TCP connection, and passes on bytes as they arrive, borrowed until the callback returns.
 * @param from The address to connect from; by default, one of several, chosen by the index.
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

/**
 * Resets a connection. Where its end is on the way already, or nothing has been connected, it is only closed: such a reset fails, and Node 20
 * then keeps the socket open for ever, and has the process spin when it should end.
 */
export function reset(socket: Socket): void {
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Resets connections, so that their ports are free at once. */
export async function cutAll(sockets: Iterable<Socket>): Promise<void> {
  const open = [...sockets].filter(({ destroyed }) => !destroyed);
  await Promise.all(
    open.map((socket) => {
      const closed = new Promise((resolve) => socket.once('close', resolve));
      reset(socket);
      return closed;
    }),
  );
}
