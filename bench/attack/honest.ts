import { request } from 'node:http';
import { sessionPayload } from '../../src/protocol/signing.js';
import { SigningKey } from '../load/keys.js';
import { clientFrame, type FrameHandler, RawWebSocket } from '../load/web-socket.js';

/** The actions that an honest client repeats. */
export const DEEDS = ['list', 'post', 'event', 'heartbeat'] as const;
export type Deed = (typeof DEEDS)[number];

/** An answer that takes longer counts as missing, in milliseconds. */
const PATIENCE_MS = 10_000;
/** Together they stay below an address's 100 requests per minute, for attacks of up to half a minute. */
const REQUESTS_EVERY_MS = 1000;
/** Well below a connection's 600 messages per minute. */
const HEARTBEATS_EVERY_MS = 200;

interface Frame {
  type: string;
  nonce?: string;
}

/** A client that keeps to the rules: it lists, posts, watches what it posts and holds a session, and measures all of it. */
export class HonestClient implements FrameHandler {
  /** Milliseconds. */
  readonly times: Readonly<Record<Deed, number[]>> = { list: [], post: [], event: [], heartbeat: [] };
  readonly failures: string[] = [];
  readonly #port: number;
  readonly #from: string;
  readonly #sessionKey = new SigningKey();
  readonly #key = new SigningKey();
  readonly #socket: RawWebSocket;
  readonly #waiting = new Map<string, () => void>();
  readonly #timers: NodeJS.Timeout[] = [];
  #under = new Set<Promise<void>>();
  #lastT = 0;
  #posts = 0;
  #isOver = false;

  private constructor(port: number, from: string) {
    this.#port = port;
    this.#from = from;
    this.#socket = new RawWebSocket({ port, host: '127.0.0.1', path: '/api/v1/ws', from }, 0, this);
  }

  /**
   * Connects, opens a session and a subscription, and lists and posts once: nothing is compiled yet in either process when it happens for the
   * first time, attack or not.
   */
  static async open(port: number, from: string): Promise<HonestClient> {
    const client = new HonestClient(port, from);
    await client.#frame('authenticated');
    const subscribed = client.#frame('snapshot');
    client.#send({ type: 'subscribe', id: 1, filter: { cpu: 1000 } });
    await subscribed;
    await client.#post();
    await client.#list();
    return client;
  }

  /** Starts measuring. */
  begin(): void {
    this.#again(REQUESTS_EVERY_MS, 'list', () => this.#list());
    this.#again(REQUESTS_EVERY_MS, 'post', () => this.#post());
    this.#again(HEARTBEATS_EVERY_MS, 'heartbeat', async () => {
      const answered = this.#frame('heartbeat');
      this.#send({ type: 'heartbeat' });
      await answered;
    });
  }

  /** Waits for pending responses, and disconnects. */
  async end(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#under);
    this.#isOver = true;
    this.#socket.cut();
  }

  opened(): void {
    // The hub sends the first frame.
  }

  message(_: RawWebSocket, bytes: Buffer, start: number, end: number): void {
    const frame = JSON.parse(bytes.toString('utf8', start, end)) as Frame;
    if (frame.type === 'welcome') this.#authenticate(frame.nonce ?? '');
    if (frame.type === 'error') this.failures.push(`session: ${bytes.toString('utf8', start, end)}`);
    this.#waiting.get(frame.type)?.();
  }

  closed(_: RawWebSocket, reason: string): void {
    if (!this.#isOver) this.failures.push(`session: ${reason}`);
  }

  #authenticate(nonce: string): void {
    const t = Date.now();
    const payload = sessionPayload(nonce, `127.0.0.1:${String(this.#port)}`);
    const { id } = this.#sessionKey;
    const signature = this.#sessionKey.sign('session', t, payload).signature.toString('hex');
    this.#send({ type: 'authenticate', id: 0, provider_id: id, t, signature });
  }

  #send(frame: object): void {
    this.#socket.send(clientFrame(JSON.stringify(frame)));
  }

  /** Resolves with the next frame of the type. */
  #frame(type: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ${type} in ${String(PATIENCE_MS)} ms`)),
        PATIENCE_MS,
      );
      this.#waiting.set(type, () => {
        clearTimeout(timer);
        this.#waiting.delete(type);
        resolve();
      });
    });
  }

  /** Does one thing at a time, so that a slow answer counts once. */
  #again(everyMs: number, deed: Deed, act: () => Promise<void>): void {
    let isBusy = false;
    const once = async (): Promise<void> => {
      isBusy = true;
      const from = performance.now();
      try {
        await act();
        this.times[deed].push(performance.now() - from);
      } catch (error) {
        this.failures.push(`${deed}: ${(error as Error).message}`);
      }
      isBusy = false;
    };
    const start = (): void => {
      if (isBusy) return;
      const doing = once();
      this.#under.add(doing);
      void doing.then(() => this.#under.delete(doing));
    };
    start();
    this.#timers.push(setInterval(start, everyMs));
  }

  #list(): Promise<void> {
    return this.#request('GET', '/api/v1/advertisements?limit=20&sort=price');
  }

  async #post(): Promise<void> {
    const t = (this.#lastT = Math.max(Date.now(), this.#lastT + 1));
    this.#posts += 1;
    const body = JSON.stringify({
      ip_address: '192.0.2.1',
      country: 'SE',
      resources: { cpu: 1000 + (this.#posts % 1000), memory: 8, storage: 40 },
    });
    const signature = this.#key.sign('advertise', t, body).signature.toString('hex');
    const from = performance.now();
    // The event comes only for a change, and may precede the answer.
    const event = this.#frame('events').then(() => performance.now() - from);
    event.catch(() => undefined);
    await this.#request('POST', '/api/v1/advertisements', body, {
      'X-Provider-ID': this.#key.id,
      'X-Provider-Signature': `t=${String(t)},k=${this.#key.id},v1=${signature}`,
    });
    this.times.event.push(await event);
  }

  /** Sends a request on a new connection, as a newcomer would. */
  #request(method: string, path: string, body = '', headers: Record<string, string> = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          host: '127.0.0.1',
          port: this.#port,
          localAddress: this.#from,
          agent: false,
          method,
          path,
          headers: { ...(body === '' ? {} : { 'Content-Type': 'application/json' }), ...headers },
          signal: AbortSignal.timeout(PATIENCE_MS),
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => (text += part));
          response.once('error', reject);
          response.once('end', () => {
            if (response.statusCode === 200) resolve();
            else reject(new Error(`${String(response.statusCode)} ${text.slice(0, 200)}`));
          });
        },
      );
      call.once('error', reject);
      call.end(body);
    });
  }
}
