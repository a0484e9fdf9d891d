import { EVENT_STREAM } from '../../protocol/frames/event-stream.js';
import type { BodyStream, BodyStreamHandler, StreamedBody } from '../../protocol/http-message.js';
import type { Vitals } from '../../vitals/vitals.js';
import type { Client } from '../clients.js';
import { checkAddressRoom, spendSubscription } from '../connections/subscription-room.js';
import { QUEUE } from '../settings.js';
import { comeBackLater, type EventHost } from './event-reader.js';

/** A reader weighs as much as a subscription to a short filter. */
const WEIGHT = 1;

/**
 * Starts a reader of the hub's own state. Like every event reader, it counts as a subscription of its address.
 * @param address The client address, as limits count it.
 * @throws ProtocolError `RATE_006` or `WS_004` if the address has too many subscriptions.
 */
export function readVitals(host: EventHost, vitals: Vitals, address: string): StreamedBody {
  spendSubscription(host, address);
  checkAddressRoom(host.settings, host.clients.find(address) ?? { address, subscriptions: 0 }, WEIGHT);
  return new VitalsReader(host, vitals, address);
}

class VitalsReader implements StreamedBody, BodyStreamHandler {
  readonly #host: EventHost;
  readonly #vitals: Vitals;
  readonly #address: string;
  #stream: BodyStream | null = null;
  #client: Client | null = null;
  #leave: () => void = () => undefined;
  /** How many points it has been sent; null before it was sent any history. */
  #known: number | null = null;

  constructor(host: EventHost, vitals: Vitals, address: string) {
    this.#host = host;
    this.#vitals = vitals;
    this.#address = address;
  }

  open(stream: BodyStream): BodyStreamHandler {
    const { clients, journal } = this.#host;
    this.#stream = stream;
    this.#client = clients.find(this.#address)!;
    this.#client.subscriptions += WEIGHT;
    journal.connected(this.#address, EVENT_STREAM.name);
    this.#leave = this.#vitals.read(() => {
      this.#tell();
    });
    stream.send(comeBackLater());
    this.#tell();
    return this;
  }

  close(): void {
    this.#leave();
  }

  emptied(): void {
    this.#tell();
  }

  closed(): void {
    this.#leave();
    if (this.#client !== null) this.#client.subscriptions -= WEIGHT;
    this.#client = null;
  }

  /** Sends the points it does not have yet; a full reader gets them once its queue is empty. */
  #tell(): void {
    const stream = this.#stream;
    if (stream === null || stream.bufferedAmount > QUEUE.highWaterBytes) return;
    const frames = this.#vitals.framesSince(this.#known);
    this.#known = this.#vitals.count;
    for (const frame of frames) stream.send(frame);
  }
}
