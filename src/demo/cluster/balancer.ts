import { connect, createServer, type Server, type Socket } from 'node:net';

/** A hub behind the balancer. */
export interface Backend {
  readonly port: number;
  /** Connections that it has now. */
  connections: number;
  /** Whether it said lately that it can serve. */
  isHealthy: boolean;
}

/** How often hubs are asked how they are, and how long they may take, in milliseconds. */
const ASK_MS = 1000;

/**
 * One door before several hubs on this machine, for the demo: each connection goes, byte for byte, to the hub that has fewest, of those
 * whose `/health` says 200. What stands before hubs in earnest is in `deploy/cluster`.
 */
export class Balancer {
  readonly backends: readonly Backend[];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;

  private constructor(ports: readonly number[]) {
    this.backends = ports.map((port) => ({ port, connections: 0, isHealthy: true }));
    this.#server = createServer((client) => {
      client.on('error', () => undefined);
      this.#keep(client);
      this.#pass(client, this.#inOrder());
    });
    this.#timer = setInterval(() => {
      for (const backend of this.backends) void this.#ask(backend);
    }, ASK_MS);
  }

  /** Listens on this machine alone, for hubs on these ports of it. */
  static start(port: number, hubs: readonly number[]): Promise<Balancer> {
    const balancer = new Balancer(hubs);
    return new Promise((resolve, reject) => {
      balancer.#server.once('error', (error) => {
        clearInterval(balancer.#timer);
        reject(error);
      });
      balancer.#server.listen(port, '127.0.0.1', () => {
        resolve(balancer);
      });
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Those that can serve before those that cannot; of these whoever has fewest first. */
  #inOrder(): Backend[] {
    return [...this.backends].sort(
      (a, b) => Number(b.isHealthy) - Number(a.isHealthy) || a.connections - b.connections,
    );
  }

  /** Joins a client with the first hub that takes the connection. */
  #pass(client: Socket, [backend, ...others]: readonly Backend[]): void {
    if (backend === undefined || client.destroyed) {
      client.destroy();
      return;
    }
    const hub = connect(backend.port, '127.0.0.1');
    this.#keep(hub);
    backend.connections += 1;
    let isJoined = false;
    hub.once('connect', () => {
      isJoined = true;
      client.pipe(hub);
      hub.pipe(client);
    });
    hub.on('error', () => undefined);
    hub.once('close', () => {
      backend.connections -= 1;
      if (isJoined) {
        client.destroy();
        return;
      }
      backend.isHealthy = false;
      this.#pass(client, others);
    });
    client.once('close', () => {
      hub.destroy();
    });
  }

  async #ask(backend: Backend): Promise<void> {
    try {
      const signal = AbortSignal.timeout(ASK_MS);
      const { ok } = await fetch(`http://127.0.0.1:${String(backend.port)}/health`, { signal });
      backend.isHealthy = ok;
    } catch {
      backend.isHealthy = false;
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
