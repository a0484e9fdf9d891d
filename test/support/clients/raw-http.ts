import { connect, type Socket } from 'node:net';
import type { Answer } from '../hubs/test-hub.js';

/** An HTTP answer as it came, its body as text. */
export type RawAnswer = Answer<string>;

const PATIENCE_MS = 15_000;

/** Puts a request together without correcting anything; headers may repeat. */
export function rawRequest(
  method: string,
  target: string,
  headers: readonly (readonly [name: string, value: string])[] = [],
  body: string | Uint8Array = '',
): Buffer {
  const bytes = Buffer.from(body);
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: hub.test'];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  if (bytes.length > 0) lines.push(`Content-Length: ${String(bytes.length)}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

/** An HTTP client that sends whatever bytes it is told to, and reads answers one by one. */
export class RawClient {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('end', end);
    socket.on('close', end);
    // A reset is one of the ways to refuse garbage.
    socket.on('error', end);
  }

  static open(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** Whether the connection is over: nothing beyond what has been received can arrive. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends bytes, and resolves once the system has taken them (or the connection is gone). */
  write(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(bytes, () => {
        resolve();
      });
    });
  }

  /** Says that nothing more will be sent; answers can still be read. */
  end(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  /**
   * The next answer; null when the connection ends without one.
   * @param toHead Whether it answers a HEAD request, and so has no body whatever its headers say.
   */
  async answer(toHead = false): Promise<RawAnswer | null> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = this.#take(toHead);
      if (answer !== null) return answer;
      if (this.#ended) return null;
      await this.#more(deadline);
    }
  }

  /** Resolves once the hub has closed the connection, with whatever bytes had not been read as an answer. */
  async closed(): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.#ended) await this.#more(deadline);
    return this.#received.toString('latin1');
  }

  async #more(deadline: number): Promise<void> {
    const left = deadline - Date.now();
    if (left <= 0)
      throw new Error(`the hub neither answered nor closed; so far: ${this.#received.toString()}`);
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, left);
    });
    clearTimeout(timer);
  }

  #take(toHead: boolean): RawAnswer | null {
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return null;
    const [statusLine, ...lines] = this.#received.subarray(0, headEnd).toString('latin1').split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})\b/.exec(statusLine ?? '')?.[1]);
    const headers = new Headers();
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
    }
    const bodyStart = headEnd + 4;
    const length = headers.get('content-length');
    const hasBody = !toHead && status !== 204 && status >= 200;
    // Without a length the body goes on until the connection ends.
    const bodyEnd = !hasBody
      ? bodyStart
      : length === null
        ? this.#received.length
        : bodyStart + Number(length);
    if (this.#received.length < bodyEnd || (hasBody && length === null && !this.#ended)) return null;
    const body = this.#received.subarray(bodyStart, bodyEnd).toString('utf8');
    this.#received = this.#received.subarray(bodyEnd);
    return { status, headers, body };
  }
}

/** Sends one request on a connection of its own and reads the answer, parsed as JSON. */
export async function exchange(port: number, request: Uint8Array): Promise<Answer<unknown>> {
  const client = await RawClient.open(port);
  try {
    await client.write(request);
    const answer = await client.answer();
    if (answer === null) throw new Error('the hub closed the connection without an answer');
    return { ...answer, body: JSON.parse(answer.body) as unknown };
  } finally {
    client.close();
  }
}
