/** The hub's end of one stream of events, played by a test. */
export class FakeStream {
  readonly url: URL;
  readonly signal: AbortSignal;
  #resolve!: (response: Response) => void;
  #reject!: (error: Error) => void;
  readonly response: Promise<Response>;
  #body: ReadableStreamDefaultController<Uint8Array> | null = null;

  constructor(url: string, signal: AbortSignal) {
    this.url = new URL(url);
    this.signal = signal;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener('abort', () => {
      this.#reject(new Error('aborted'));
      this.cut();
    });
  }

  /** Begins to answer. */
  begin(retryMs = 2000): void {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => (this.#body = controller) });
    const headers = { 'Content-Type': 'text/event-stream', Date: 'Thu, 01 Jan 2026 00:00:10 GMT' };
    this.#resolve(new Response(body, { headers }));
    this.text(`retry: ${String(retryMs)}\n\n`);
  }

  text(text: string): void {
    this.#body?.enqueue(new TextEncoder().encode(text));
  }

  say(frame: { type: string; cursor?: string | null }): void {
    const id = typeof frame.cursor === 'string' ? `id: ${frame.cursor}\n` : '';
    this.text(`event: ${frame.type}\n${id}data: ${JSON.stringify(frame)}\n\n`);
  }

  /** Answers something else. */
  answer(status: number, body: string, headers: Record<string, string> = {}): void {
    this.#resolve(new Response(body, { status, headers }));
  }

  fail(): void {
    this.#reject(new TypeError('Failed to fetch'));
  }

  end(): void {
    this.#body?.close();
    this.#body = null;
  }

  /** The connection breaks. */
  cut(): void {
    this.#body?.error(new TypeError('terminated'));
    this.#body = null;
  }
}

/** Stands in for `fetch`: keeps every stream that a client asks for. */
export class FakeEvents {
  readonly streams: FakeStream[] = [];
  readonly fetch: typeof globalThis.fetch = (url, init) => {
    const stream = new FakeStream(url as string, init!.signal!);
    this.streams.push(stream);
    return stream.response;
  };

  /** The newest stream. */
  get stream(): FakeStream {
    return this.streams.at(-1)!;
  }
}
