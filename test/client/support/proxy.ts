import { createServer, type Server, type Socket, connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

/** What becomes of a WebSocket's handshake. */
export type Upgrades = 'pass' | 'refuse' | 'drop';

const REFUSAL = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno';

/**
 * A TCP proxy before a hub, whose connections a test can cut and whose door it can close, to all or to WebSockets alone.
 */
export class Proxy {
  upgrades: Upgrades = 'pass';
  /** Streams of events that were asked for through it. */
  events = 0;
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #open = true;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => {
      if (!this.#open) {
        client.destroy();
        return;
      }
      client.on('error', () => undefined);
      this.#sockets.add(client);
      client.on('close', () => this.#sockets.delete(client));
      client.once('data', (head) => {
        // A WebSocket begins with its own connection.
        if (this.upgrades !== 'pass' && /\r\nupgrade: websocket\r\n/i.test(head.toString('latin1'))) {
          if (this.upgrades === 'refuse') client.end(REFUSAL);
          else client.destroy();
          return;
        }
        if (head.toString('latin1').startsWith('GET /api/v1/events?')) this.events += 1;
        client.pause();
        client.unshift(head);
        this.#join(client);
      });
    });
  }

  #join(client: Socket): void {
    const upstream = connect(this.#target, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }

  static async start(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Cuts every connection, as a failing network does, and lets none through until `open()`. */
  cut(): void {
    this.#open = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  open(): void {
    this.#open = true;
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
