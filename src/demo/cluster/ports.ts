import { createServer } from 'node:net';

/** Which of several successive ports of this machine is in use; null where none is. */
export async function portInUse(first: number, count: number): Promise<number | null> {
  for (let port = first; port < first + count; port += 1) if (!(await isFree(port))) return port;
  return null;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
