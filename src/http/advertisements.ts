import { ProtocolError } from '../protocol/errors.js';
import type { HttpRequest, HttpResponse } from '../protocol/http-message.js';
import { readHttpClaim } from '../registry/write/claim.js';
import type { Registry } from '../registry/registry.js';
import type { WritePath } from '../registry/write/write-path.js';
import { json, OPEN_TO_READERS } from './respond.js';

/** What the advertisement routes need. */
export interface AdvertisementService {
  registry: Registry;
  writePath: WritePath;
  /** Whether the hub is stopping and accepts no more writes. */
  stopping: () => boolean;
  /** The client address of a request. */
  originOf: (request: HttpRequest) => string;
  /** The exact address a request comes from. */
  addressOf: (request: HttpRequest) => string;
  /** Whether unsigned requests are accepted for ids that no key owns. */
  acceptUnsigned: boolean;
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
      `the advertisement of ${providerId} is not signed, so there is no proof of it`,
    );
  }
  return json(proof, { headers: OPEN_TO_READERS });
}

/** `POST /api/v1/advertisements` */
export async function postAdvertisement(
  service: AdvertisementService,
  request: HttpRequest,
): Promise<HttpResponse> {
  refuseWhileStopping(service);
  requireJson(request);
  const claim = readHttpClaim(
    request.headers.get('x-provider-id'),
    request.headers.get('x-provider-signature'),
    service.acceptUnsigned,
  );
  const origin = service.originOf(request);
  const from = service.addressOf(request);
  return json(await service.writePath.advertise(claim, request.body, null, origin, from));
}

/** `DELETE /api/v1/advertisements/{provider_id}` */
export async function deleteAdvertisement(
  service: AdvertisementService,
  request: HttpRequest,
  providerId: string,
): Promise<HttpResponse> {
  refuseWhileStopping(service);
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
  await service.writePath.withdraw(claim, null, service.originOf(request));
  return json({ status: 'success' });
}

/** By then another hub may have taken over, or this one may have restarted. */
const RETRY_AFTER_SECONDS = 5;

function refuseWhileStopping({ stopping }: AdvertisementService): void {
  if (!stopping()) return;
  throw new ProtocolError('ADV_001', 'the hub is stopping and no longer accepts writes; try again soon', {
    unavailable: true,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
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
