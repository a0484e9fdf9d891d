import { parseEventsQuery } from '../protocol/filters/answer-queries.js';
import type { Filter } from '../protocol/filters/filter.js';
import type { First } from '../protocol/filters/first.js';
import { ProtocolError } from '../protocol/errors.js';
import type { HttpRequest, HttpResponse, StreamedBody } from '../protocol/http-message.js';
import { NO_SNIFFING, OPEN_TO_READERS } from './respond.js';

/** Reads that stay open, provided by the gateway. */
export interface OpenReads {
  /**
   * Streams a filter's matches as server-sent events.
   * @throws ProtocolError when the address has too many open, or the hub.
   */
  readEvents(request: {
    filter: Filter;
    first: First | null;
    resume: string | null;
    address: string;
  }): StreamedBody;
  /**
   * Waits until a filter's matches differ from those at a cursor.
   * @returns Null once they may differ; after the wait, a cursor up to which they are the same.
   * @throws ProtocolError when the address has too many open, or the hub.
   */
  awaitChange(request: {
    filter: Filter;
    since: string;
    seconds: number;
    address: string;
  }): Promise<string | null>;
  /**
   * Asks whether a long list would be taken in, before it has been made.
   * @throws ProtocolError `ADV_003` when the address reads as many as it may.
   */
  checkLongBody(address: string): void;
}

const EVENTS_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // Tells nginx not to buffer events.
  'X-Accel-Buffering': 'no',
  ...NO_SNIFFING,
  ...OPEN_TO_READERS,
} as const;

/**
 * `GET /api/v1/events`
 * @throws ProtocolError `ADV_002` naming a parameter, and what `readEvents` throws.
 */
export function getEvents(
  reads: OpenReads,
  request: HttpRequest,
  addressOf: (request: HttpRequest) => string,
): HttpResponse {
  const { filter, first, resume } = parseEventsQuery(request.search);
  // A reconnecting browser requests the same URL again, and only the header tells how far it got.
  const lastEventId = request.headers.get('last-event-id') ?? '';
  const address = addressOf(request);
  const stream = reads.readEvents({
    filter,
    first,
    resume: lastEventId === '' ? resume : lastEventId,
    address,
  });
  return { status: 200, headers: EVENTS_HEADERS, body: '', stream };
}

/**
 * `GET /api/v1/hub/events`
 * @param read Starts a reader for a client address; null if the hub does not show its own state.
 * @throws ProtocolError `HTTP_404` if nothing is shown, `ADV_002` for any parameter, and whatever `read` throws.
 */
export function getHubEvents(
  read: ((address: string) => StreamedBody) | null,
  request: HttpRequest,
  addressOf: (request: HttpRequest) => string,
): HttpResponse {
  if (read === null) {
    throw new ProtocolError(
      'HTTP_404',
      'this hub does not show its own state; its operator can change that with DISCOVERY_HUB_EVENTS',
    );
  }
  const [name] = new URLSearchParams(request.search).keys();
  if (name !== undefined) {
    throw new ProtocolError(
      'ADV_002',
      `unknown parameter ${JSON.stringify(name.slice(0, 64))}: this is about the whole hub and takes no parameters`,
    );
  }
  return { status: 200, headers: EVENTS_HEADERS, body: '', stream: read(addressOf(request)) };
}
