import { connect, createServer, type Server, type Socket } from 'node:net';
import { reset } from '../../../bench/load/sockets.js';

/**
 * A load balancer in front of several hubs: each connection goes to a random one, and what a client sends is held back until all hubs have the same state.
 * It connects from the client's address, and closes when either side does.
 */
export class Balancer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * @param ports Of the hubs.
   * @param ready Resolves when the hubs know the same.
   */
  static async before(ports: readonly number[], ready: () => Promise<void>): Promise<Balancer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const balancer = new Balancer(server);
    server.on('connection', (client) => {
      balancer.#join(client, ports[Math.floor(Math.random() * ports.length)]!, ready);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return balancer;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** From now on nobody gets in. */
  stopListening(): void {
    this.#server.close();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, port: number, ready: () => Promise<void>): void {
    const options = { port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true };
    const hub = connect({ ...options, localAddress: client.remoteAddress ?? '127.0.0.1' });
    const pair = [client, hub];
    for (const socket of pair) {
      this.#sockets.add(socket);
      const other = socket === client ? hub : client;
      socket.on('error', () => {
        if (!other.destroyed) reset(other);
      });
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroySoon();
      });
    }
    hub.pipe(client);
    let before = Promise.resolve();
    const then = (go: () => void): void => {
      before = before.then(ready).then(go);
      before.catch((error: unknown) => {
        for (const socket of pair) socket.destroy();
        // Nobody handles it, so the test that runs fails, and says why.
        throw error;
      });
    };
    client.on('data', (chunk: Buffer) => {
      client.pause();
      then(() => {
        if (hub.destroyed) return;
        if (hub.write(chunk)) client.resume();
        else
          hub.once('drain', () => {
            client.resume();
          });
      });
    });
    client.on('end', () => {
      then(() => {
        hub.end();
      });
    });
  }
}
