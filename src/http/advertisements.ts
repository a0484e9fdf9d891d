import { ProtocolError } from '../protocol/errors.js';
import type { HttpRequest, HttpResponse } from '../protocol/http-message.js';
import { readHttpClaim } from '../registry/claim.js';
import type { Registry } from '../registry/registry.js';
import type { Writer } from '../registry/writer.js';
import type { ListQueries } from './list-queries.js';
import { json, JSON_TYPE, OPEN_TO_READERS } from './respond.js';

/** What the routes of advertisements work on. */
export interface AdvertisementService {
  registry: Registry;
  writer: Writer;
  /** Whether unsigned requests are let through where no key owns the id. */
  acceptUnsigned: boolean;
}

/** `GET /api/v1/advertisements` */
export function listAdvertisements(
  { registry }: AdvertisementService,
  queries: ListQueries,
  request: HttpRequest,
): HttpResponse {
  const { query, nextPage } = queries.parse(request.search);
  const { body, cursor, next } = registry.list(query);
  const headers: Record<string, string> = {
    'Content-Type': JSON_TYPE,
    'Cache-Control': 'no-store',
    'X-Discovery-Cursor': cursor,
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Expose-Headers': OPEN_TO_READERS['Access-Control-Expose-Headers'],
  };
  if (next !== null) headers['Link'] = `<${nextPage}${next}>; rel="next"`;
  return { status: 200, headers, body, borrowed: true };
}

/** `GET /api/v1/advertisements/{provider_id}` */
export function getAdvertisement({ registry }: AdvertisementService, providerId: string): HttpResponse {
  const body = registry.find(providerId);
  if (body === null) throw unknownProvider(providerId);
  return json(body, { headers: OPEN_TO_READERS });
}

/** `GET /api/v1/advertisements/{provider_id}/proof` */
export function getProof({ registry }: AdvertisementService, providerId: string): HttpResponse {
  const proof = registry.proof(providerId);
  if (proof === undefined) throw unknownProvider(providerId);
  if (proof === null) {
    throw new ProtocolError(
      'ADV_004',
      `the advertisement of ${providerId} was not signed, so there is no proof of it`,
    );
  }
  return json(proof, { headers: OPEN_TO_READERS });
}

/** `POST /api/v1/advertisements` */
export async function postAdvertisement(
  service: AdvertisementService,
  request: HttpRequest,
): Promise<HttpResponse> {
  requireJson(request);
  const claim = readHttpClaim(
    request.headers.get('x-provider-id'),
    request.headers.get('x-provider-signature'),
    service.acceptUnsigned,
  );
  return json(await service.writer.advertise(claim, request.body, null));
}

/** `DELETE /api/v1/advertisements/{provider_id}` */
export async function deleteAdvertisement(
  service: AdvertisementService,
  request: HttpRequest,
  providerId: string,
): Promise<HttpResponse> {
  const claim = readHttpClaim(
    request.headers.get('x-provider-id'),
    request.headers.get('x-provider-signature'),
    service.acceptUnsigned,
  );
  if (claim.providerId !== providerId) {
    throw new ProtocolError(
      'AUTH_004',
      `the path names ${JSON.stringify(providerId.slice(0, 128))} but X-Provider-ID names ${claim.providerId}; a provider can only withdraw its own advertisement`,
    );
  }
  await service.writer.withdraw(claim, null);
  return json({ status: 'success' });
}

function requireJson(request: HttpRequest): void {
  const type = request.headers.get('content-type');
  if (
    type === undefined ||
    /^application\/(?:[\w.-]+\+)?json\s*(?:;\s*charset="?utf-8"?\s*)?$/i.test(type.trim())
  )
    return;
  throw new ProtocolError(
    'HTTP_415',
    `the body has the type ${JSON.stringify(type.slice(0, 64))}; send Content-Type: application/json`,
  );
}

function unknownProvider(providerId: string): ProtocolError {
  return new ProtocolError(
    'ADV_004',
    `there is no advertisement of ${JSON.stringify(providerId.slice(0, 128))}`,
  );
}
