import { ProtocolError } from '../protocol/errors.js';
import type { IntakeAccount } from './connections/intake.js';

/** A client address and what it has open. */
export interface Client {
  /** As limits count it: an IPv4 address or the /64 of an IPv6 one. */
  readonly address: string;
  /** WebSockets and readers of streamed bodies. */
  connections: number;
  /** Over all of its connections; a large filter counts several times. */
  subscriptions: number;
  /** Work on snapshots and resumes for all its connections, in the units of `WORK`. */
  work: number;
  /** The account of incoming frames. */
  readonly intake: IntakeAccount;
}

/** The client addresses that have an open connection. */
export class Clients {
  readonly #clients = new Map<string, Client>();

  /**
   * Checks that an address may open another connection.
   * @param max 0 for no limit.
   * @throws ProtocolError `RATE_002`.
   */
  checkRoom(address: string, max: number): void {
    if (max === 0 || (this.#clients.get(address)?.connections ?? 0) < max) return;
    throw new ProtocolError(
      'RATE_002',
      `${address} has ${String(max)} connections open already, the most one address may have; close one first`,
      { retryAfterSeconds: 60 },
    );
  }

  /** The client of an open connection. */
  find(address: string): Client | undefined {
    return this.#clients.get(address);
  }

  /** Counts an opened connection. */
  enter(address: string): Client {
    let client = this.#clients.get(address);
    if (client === undefined) {
      client = { address, connections: 0, subscriptions: 0, work: 0, intake: { work: 0, bytes: 0 } };
      this.#clients.set(address, client);
    }
    client.connections += 1;
    return client;
  }

  /** Counts a closed connection. */
  leave(client: Client): void {
    client.connections -= 1;
    if (client.connections === 0) this.#clients.delete(client.address);
  }
}
