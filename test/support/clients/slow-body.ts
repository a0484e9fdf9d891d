import type { BodyStream, BodyStreamHandler } from '../../../src/protocol/http-message.js';

/** A response whose reader takes what waits only when the test says so. */
export class SlowBody implements BodyStream {
  bufferedAmount = 0;
  text = '';
  isEnded = false;
  isCut = false;
  handler: BodyStreamHandler | null = null;

  send(bytes: Uint8Array): 'queued' | 'dropped' {
    if (this.isEnded || this.isCut) return 'dropped';
    this.bufferedAmount += bytes.length;
    this.text += Buffer.from(bytes).toString('utf8');
    return 'queued';
  }

  end(): void {
    this.isEnded = true;
  }

  terminate(): void {
    this.isCut = true;
    queueMicrotask(() => this.handler!.closed());
  }

  takeAll(): void {
    this.bufferedAmount = 0;
    this.handler!.emptied();
  }

  get frames(): Record<string, unknown>[] {
    const lines = this.text.split('\n').filter((line) => line.startsWith('data: '));
    return lines.map((line) => JSON.parse(line.slice(6)) as Record<string, unknown>);
  }
}
