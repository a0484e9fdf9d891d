import { ProtocolError } from '../../protocol/errors.js';
import { type ProviderId, readProviderId } from '../../protocol/provider-id.js';
import { SCHEMES, type SignatureScheme } from '../../protocol/schemes/table.js';
import { parseSignatureHeader } from '../../protocol/signature-header.js';

/** Who a request says it comes from, in canonical form. Not verified yet. */
export type Claim =
  | { signed: true; providerId: string; publicKey: string; t: number; signature: string }
  | { signed: false; providerId: string };

export type SignedClaim = Extract<Claim, { signed: true }>;

/** What the operator of a first-generation provider, which does not sign, needs to know. */
const FIRST_GENERATION =
  "(first-generation providers do not sign: make the provider sign, or ask the hub's operator to set DISCOVERY_UNSIGNED=accept)";

const FORMS = SCHEMES.map(({ headerForm }) => headerForm).join(' or ');

/**
 * Checks the form of a request's provider id and signature.
 * @param publicKey Null if the request left it out; only names require it.
 * @throws ProtocolError `AUTH_001`
 */
export function readSignedClaim(
  providerId: string,
  publicKey: string | null,
  t: number,
  signature: string,
): SignedClaim {
  const { id, kind, scheme } = readId(providerId);
  const canonical = scheme.canonicalSignature(signature);
  if (canonical === null) throw wrongScheme(id, scheme);
  if (publicKey !== null && scheme.sentKey === null) {
    throw new ProtocolError(
      'AUTH_001',
      `${id} takes no public key; leave it out, the id itself determines the signer`,
    );
  }
  const key = publicKey ?? (kind === 'name' ? null : id);
  if (key === null) {
    throw new ProtocolError(
      'AUTH_001',
      `the public key is missing; send it along, because ${id} is not one itself (X-Provider-Signature: ${scheme.headerForm})`,
    );
  }
  return { signed: true, providerId: id, publicKey: key, t, signature: canonical };
}

/**
 * Reads the two headers of an HTTP request.
 * @param acceptUnsigned Whether a header without a real signature passes as an unsigned claim.
 * @throws ProtocolError `AUTH_003` if one is missing, `AUTH_001` if malformed.
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
    throw new ProtocolError(
      'AUTH_003',
      `the header X-Provider-Signature is missing; send ${FORMS} ${FIRST_GENERATION}`,
    );
  }
  const { id, scheme } = readId(providerId);
  const parsed = parseSignatureHeader(signatureHeader);
  if (parsed?.scheme === scheme) return readSignedClaim(id, parsed.publicKey, parsed.t, parsed.signature);
  if (acceptUnsigned) return { signed: false, providerId: id };
  if (parsed !== null) throw wrongScheme(id, scheme);
  throw new ProtocolError(
    'AUTH_001',
    `the signature header is malformed; send ${scheme.headerForm}, keys and signatures in lower-case hex ${FIRST_GENERATION}`,
  );
}

function readId(providerId: string): ProviderId {
  const read = readProviderId(providerId);
  if (read !== null) return read;
  throw new ProtocolError(
    'AUTH_001',
    SCHEMES.some(({ idPattern }) => idPattern.test(providerId))
      ? 'the provider id is not an Ethereum address: mixed upper and lower case is a checksum (EIP-55), and this one is wrong; copy the address again, or send it all in lower case'
      : 'the provider id is malformed; use your public key (64 lower-case hex digits), your Ethereum address (0x and 40 hex digits), or a name of 1 to 128 of A-Z a-z 0-9 . _ : - that begins with a letter or digit and resembles neither',
  );
}

function wrongScheme(id: string, scheme: SignatureScheme): ProtocolError {
  return new ProtocolError(
    'AUTH_001',
    `the signature is not of the form that ${scheme.signers} make, and ${id} can only sign that way; send ${scheme.signatureForm} (over HTTP: X-Provider-Signature: ${scheme.headerForm})`,
  );
}
