import { ProtocolError } from '../../protocol/errors.js';
import type { BodySource } from '../../protocol/http-message.js';

/** Per address, so that nobody takes all places for long lists. */
export const LONG_BODIES_PER_ADDRESS = 8;

/** The bytes that a reader has to take per period (service milliseconds): 32 KiB/s. */
export const LEAST_PROGRESS = { bytes: 960 * 1024, ms: 30_000 } as const;

/** What long bodies need from the gateway. */
interface LongBodiesHost {
  /** Service milliseconds. */
  readonly now: number;
  /** 0 for no limit. */
  readonly settings: { readonly maxLongBodiesPerAddress: number };
}

/** Bodies that are read in parts: a limited number per address, with a minimum rate of progress. */
export class LongBodies {
  readonly #host: LongBodiesHost;
  readonly #open = new Set<LongBody>();
  readonly #byAddress = new Map<string, number>();

  constructor(host: LongBodiesHost) {
    this.#host = host;
  }

  /** How many are being read. */
  get size(): number {
    return this.#open.size;
  }

  /** @throws ProtocolError `ADV_003` if the address is reading as many as it may. */
  check(address: string): void {
    const { maxLongBodiesPerAddress: max } = this.#host.settings;
    if (max === 0 || (this.#byAddress.get(address) ?? 0) < max) return;
    throw new ProtocolError(
      'ADV_003',
      `${address} is reading ${String(max)} long lists already, the most one address may; finish reading one first, or ask for pages with limit=1000`,
      { unavailable: true, retryAfterSeconds: 5 },
    );
  }

  /**
   * Registers a body until it is closed.
   * @param address The client address that requested it.
   * @returns The body for the transport, replacing `source`.
   * @throws ProtocolError as `check`.
   */
  admit(source: BodySource, address: string): BodySource {
    this.check(address);
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    const body = new LongBody(source, this.#host.now, () => {
      this.#leave(body, address);
    });
    this.#open.add(body);
    return body;
  }

  /** Called on every tick of the gateway. */
  tick(): void {
    for (const body of this.#open) body.tick(this.#host.now);
  }

  #leave(body: LongBody, address: string): void {
    this.#open.delete(body);
    const count = this.#byAddress.get(address)! - 1;
    if (count > 0) this.#byAddress.set(address, count);
    else this.#byAddress.delete(address);
  }
}

class LongBody implements BodySource {
  readonly bytes: number;
  readonly #source: BodySource;
  readonly #onClose: () => void;
  #cut: () => void = () => undefined;
  #since: number;
  /** Bytes the reader has started to take since then. */
  #taken = 0;
  #isClosed = false;

  constructor(source: BodySource, now: number, onClose: () => void) {
    this.bytes = source.bytes;
    this.#source = source;
    this.#since = now;
    this.#onClose = onClose;
  }

  begin(cut: () => void): void {
    this.#cut = cut;
  }

  next(): Uint8Array | null {
    const part = this.#source.next();
    this.#taken += part?.length ?? 0;
    return part;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#source.close();
    this.#onClose();
  }

  /** Cuts off a reader that takes too little. */
  tick(now: number): void {
    if (now < this.#since + LEAST_PROGRESS.ms) return;
    const isSlow = this.#taken < LEAST_PROGRESS.bytes;
    this.#since = now;
    this.#taken = 0;
    if (!isSlow) return;
    this.#cut();
    // In case the transport has not started, or is slow to react.
    this.close();
  }
}
