import type { SendResult, Socket } from '../../../src/gateway/transports/port.js';

/** A peer that takes what it is sent only when the test says so. */
export class SlowSocket implements Socket {
  readonly peerAddress: string;
  bufferedAmount = 0;

  constructor(peerAddress = 'somewhere') {
    this.peerAddress = peerAddress;
  }

  send(bytes: Uint8Array): SendResult {
    this.bufferedAmount += bytes.length;
    return 'queued';
  }

  ping(): void {
    // It does not listen.
  }

  close(): void {
    // It does not listen.
  }

  terminate(): void {
    // It does not listen.
  }
}
