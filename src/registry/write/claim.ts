import { ProtocolError } from '../../protocol/errors.js';
import { type ProviderId, readProviderId } from '../../protocol/provider-id.js';
import { parseSignatureHeader } from '../../protocol/signature-header.js';

/** Who says to have sent a request. Nothing in it has been verified yet. */
export type Claim =
  | { signed: true; providerId: string; publicKey: string; t: number; signature: string }
  | { signed: false; providerId: string };

export type SignedClaim = Extract<Claim, { signed: true }>;

const HEADER_FORM = 'X-Provider-Signature: t=<Unix milliseconds>,k=<public key>,v1=<signature>';

/**
 * Checks the form of an id and a key that a request was sent under, as `AUTH_001` wants it.
 * @param publicKey Null where the request left it out, which only a key id allows.
 */
export function readSignedClaim(
  providerId: string,
  publicKey: string | null,
  t: number,
  signature: string,
): SignedClaim {
  const { id, kind, scheme } = checkId(providerId);
  if (scheme === null) {
    throw new ProtocolError(
      'AUTH_001',
      'provider ids of the form 0x and 40 hex digits are reserved for Ethereum addresses, whose signatures this hub cannot verify yet; use your public key or a name as provider id',
    );
  }
  const key = publicKey ?? (kind === 'key' ? id : null);
  if (key === null) {
    throw new ProtocolError(
      'AUTH_001',
      `the public key is missing, which only a key id can do without; send it along (${HEADER_FORM})`,
    );
  }
  const canonical = scheme.canonicalSignature(signature);
  if (canonical === null) {
    throw new ProtocolError('AUTH_001', `the signature is malformed; send ${scheme.signatureForm}`);
  }
  return { signed: true, providerId: id, publicKey: key, t, signature: canonical };
}

/**
 * Reads the two headers of an HTTP request.
 * @param acceptUnsigned Whether a signature that is none is let through as an unsigned claim.
 * @throws ProtocolError `AUTH_003` when one is missing, `AUTH_001` when malformed.
 */
export function readHttpClaim(
  providerId: string | undefined,
  signatureHeader: string | undefined,
  acceptUnsigned: boolean,
): Claim {
  if (providerId === undefined || providerId === '') {
    throw new ProtocolError('AUTH_003', 'the header X-Provider-ID is missing');
  }
  if (signatureHeader === undefined || signatureHeader === '') {
    throw new ProtocolError('AUTH_003', `the header X-Provider-Signature is missing; send ${HEADER_FORM}`);
  }
  const parsed = parseSignatureHeader(signatureHeader);
  const { id, scheme } = checkId(providerId);
  if (acceptUnsigned && (parsed === null || scheme === null)) return { signed: false, providerId: id };
  if (parsed === null) {
    throw new ProtocolError(
      'AUTH_001',
      `the signature header is malformed; send ${HEADER_FORM}, key and signature in lower-case hex`,
    );
  }
  return readSignedClaim(providerId, parsed.publicKey, parsed.t, parsed.signature);
}

function checkId(providerId: string): ProviderId {
  const read = readProviderId(providerId);
  if (read === null) {
    throw new ProtocolError(
      'AUTH_001',
      'the provider id is malformed; use your public key (64 lower-case hex digits) or a name of 1 to 128 of A-Z a-z 0-9 . _ : - that begins with a letter or digit and looks neither like a key nor like an Ethereum address',
    );
  }
  return read;
}
