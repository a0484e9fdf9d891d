import { parseEventsQuery } from '../protocol/filters/answer-queries.js';
import type { Filter } from '../protocol/filters/filter.js';
import type { First } from '../protocol/filters/first.js';
import { ProtocolError } from '../protocol/errors.js';
import type { HttpRequest, HttpResponse, StreamedBody } from '../protocol/http-message.js';
import { NO_SNIFFING, OPEN_TO_READERS } from './respond.js';

/** Reads that stay open, which whoever keeps connections takes on. */
export interface OpenReads {
  /**
   * Makes the stream of a filter's matches, as server-sent events.
   * @throws ProtocolError when the address has too many open, or the hub.
   */
  readEvents(request: {
    filter: Filter;
    first: First | null;
    resume: string | null;
    address: string;
  }): StreamedBody;
  /**
   * Waits until a filter's matches are no longer what they were at a cursor.
   * @returns Null once they may be others; after the wait a cursor up to which they are the same.
   * @throws ProtocolError when the address has too many open, or the hub.
   */
  awaitChange(request: {
    filter: Filter;
    since: string;
    seconds: number;
    address: string;
  }): Promise<string | null>;
}

const EVENTS_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // Has nginx pass each event on as it comes.
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
  // A browser that comes back asks for the same address as before, and only the header knows how far it got.
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
 * @param read Takes a reader on for a client address; null where the hub shows nothing of itself.
 * @throws ProtocolError `HTTP_404` where nothing is shown, `ADV_002` for any parameter, and what `read` throws.
 */
export function getHubEvents(
  read: ((address: string) => StreamedBody) | null,
  request: HttpRequest,
  addressOf: (request: HttpRequest) => string,
): HttpResponse {
  if (read === null) {
    throw new ProtocolError(
      'HTTP_404',
      'this hub does not show how it is; its operator can have it do so with DISCOVERY_HUB_EVENTS',
    );
  }
  const [name] = new URLSearchParams(request.search).keys();
  if (name !== undefined) {
    throw new ProtocolError(
      'ADV_002',
      `unknown parameter ${JSON.stringify(name.slice(0, 64))}: this is about the hub as a whole, and takes none`,
    );
  }
  return { status: 200, headers: EVENTS_HEADERS, body: '', stream: read(addressOf(request)) };
}
