import type { BodyStream, BodyStreamHandler, StreamedBody } from '../../protocol/http-message.js';
import type { Client } from '../clients.js';
import type { Backlog } from './backlog.js';
import { Outbox } from './outbox.js';
import type { SendResult } from '../transports/port.js';
import type { GatewaySettings, ReaderEnd } from '../settings.js';

/** What a reader needs from the gateway. */
export interface ReaderHost {
  /** Service milliseconds. */
  readonly now: number;
  readonly settings: GatewaySettings;
  readonly backlog: Backlog;
  /** Called exactly once for each reader. */
  readerGone(reader: Reader, reason: ReaderEnd): void;
  reportError(error: unknown): void;
}

/** The reader of a streamed body. It sits between the transport and the body's producer, and bounds what is queued. */
export class Reader implements StreamedBody, BodyStream, BodyStreamHandler {
  readonly client: Client;
  readonly #host: ReaderHost;
  readonly #body: StreamedBody;
  #stream: BodyStream | null = null;
  #outbox: Outbox | null = null;
  #handler: BodyStreamHandler | null = null;
  /** Set once the hub has ended it. */
  #reason: ReaderEnd | null = null;
  #isGone = false;

  constructor(host: ReaderHost, client: Client, body: StreamedBody) {
    this.#host = host;
    this.client = client;
    this.#body = body;
  }

  // ---- what the transport calls -----------------------------------------------------------------------------

  open(stream: BodyStream): BodyStreamHandler {
    const { settings, backlog } = this.#host;
    this.#stream = stream;
    this.#outbox = new Outbox(stream, true, settings, backlog, () => {
      this.#cut('slow');
    });
    if (this.#reason !== null) stream.end();
    try {
      this.#handler = this.#body.open(this);
    } catch (error) {
      this.#host.reportError(error);
      this.#cut('failed');
    }
    return this;
  }

  close(): void {
    this.#leave('gone');
    this.#body.close();
  }

  emptied(): void {
    this.#outbox?.emptied();
    if (this.#reason === null) this.#handler?.emptied();
  }

  closed(): void {
    this.#leave(this.#reason ?? 'gone');
    this.#handler?.closed();
  }

  // ---- what the body's producer calls -----------------------------------------------------------------------

  get bufferedAmount(): number {
    return this.#isGone ? 0 : (this.#stream?.bufferedAmount ?? 0);
  }

  send(bytes: Uint8Array): SendResult {
    if (this.#reason !== null || this.#isGone || this.#outbox === null) return 'dropped';
    if (!this.#outbox.send(bytes, this.#host.now)) {
      this.#cut('slow');
      return 'dropped';
    }
    return this.bufferedAmount === 0 ? 'sent' : 'queued';
  }

  end(): void {
    this.#end('ended');
  }

  terminate(): void {
    this.#cut('failed');
  }

  // ---- what the gateway calls -------------------------------------------------------------------------------

  /** Ends the body cleanly, because the hub is stopping. */
  stop(): void {
    this.#end('stopping');
  }

  /** Cuts off a reader that has taken nothing for too long although much is queued. */
  tick(): void {
    if (this.#outbox === null) return;
    const { now } = this.#host;
    this.#outbox.isMoving(now);
    if (now >= this.#outbox.giveUpAt) this.#cut('slow');
    else if (this.#reason === null) this.#handler?.tick?.();
  }

  #end(reason: ReaderEnd): void {
    if (this.#reason !== null || this.#isGone) return;
    this.#reason = reason;
    this.#stream?.end();
  }

  #cut(reason: ReaderEnd): void {
    if (this.#isGone) return;
    this.#reason ??= reason;
    this.#stream?.terminate();
  }

  #leave(reason: ReaderEnd): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#outbox?.end();
    this.#host.readerGone(this, reason);
  }
}
