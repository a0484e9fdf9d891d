/** The most characters of one event: far more than a hub ever sends. */
const MAX_EVENT_CHARACTERS = 32 * 1024 * 1024;

/** Receives the content of a stream of server-sent events. */
export interface EventListener {
  /** The data of one event. */
  data(text: string): void;
  /** The stream sets the reconnection delay, in milliseconds. */
  retry(ms: number): void;
}

/**
 * Parses server-sent events, as defined by HTML, from pieces that end anywhere. Names and ids are ignored, because frames contain both. The
 * buffer for an unfinished event is bounded.
 */
export class EventParser {
  readonly #listener: EventListener;
  /** The pieces of the current, incomplete line. */
  #line: string[] = [];
  #data: string[] = [];
  #characters = 0;
  /** Whether the last line ended with a carriage return, which a line feed may still follow. */
  #afterReturn = false;

  constructor(listener: EventListener) {
    this.#listener = listener;
  }

  /**
   * Adds the next piece.
   * @throws RangeError if an event is longer than any that a hub sends.
   */
  push(piece: string): void {
    const ends = /\r\n?|\n/g;
    let from = this.#afterReturn && piece.startsWith('\n') ? 1 : 0;
    if (piece !== '') this.#afterReturn = piece.endsWith('\r');
    ends.lastIndex = from;
    for (let end = ends.exec(piece); end !== null; end = ends.exec(piece)) {
      this.#hold(piece.slice(from, end.index));
      from = ends.lastIndex;
      const line = this.#line.length === 1 ? this.#line[0]! : this.#line.join('');
      this.#line = [];
      this.#take(line);
    }
    this.#hold(piece.slice(from));
  }

  #hold(part: string): void {
    if (part === '') return;
    this.#characters += part.length;
    if (this.#characters > MAX_EVENT_CHARACTERS) {
      throw new RangeError(`an event has more than ${String(MAX_EVENT_CHARACTERS)} characters`);
    }
    this.#line.push(part);
  }

  #take(line: string): void {
    if (line === '') {
      const data = this.#data;
      this.#data = [];
      this.#characters = 0;
      if (data.length > 0) this.#listener.data(data.join('\n'));
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    if (field !== 'data') this.#characters -= line.length;
    if (field !== 'data' && field !== 'retry') return;
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') this.#data.push(value);
    else if (/^\d{1,9}$/.test(value)) this.#listener.retry(Number(value));
  }
}
