import { ProtocolError } from '../../protocol/errors.js';
import { type ProviderId, readProviderId } from '../../protocol/provider-id.js';
import { SCHEMES, type SignatureScheme } from '../../protocol/schemes/table.js';
import { parseSignatureHeader } from '../../protocol/signature-header.js';

/** Who says to have sent a request, in canonical form. Nothing in it has been verified yet. */
export type Claim =
  | { signed: true; providerId: string; publicKey: string; t: number; signature: string }
  | { signed: false; providerId: string };

export type SignedClaim = Extract<Claim, { signed: true }>;

/** What whoever runs a provider of the first generation, which does not sign, has to know. */
const FIRST_GENERATION =
  "(a provider of the first generation does not sign: its operator has it sign, or the hub's sets DISCOVERY_UNSIGNED=accept)";

const FORMS = SCHEMES.map(({ headerForm }) => headerForm).join(' or ');

/**
 * Checks the form of an id and a signature that a request was sent under, as `AUTH_001` wants it.
 * @param publicKey Null where the request left it out: only a name cannot do without.
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
      `${id} needs no public key beside it; leave the public key out, the id says who has to have signed`,
    );
  }
  const key = publicKey ?? (kind === 'name' ? null : id);
  if (key === null) {
    throw new ProtocolError(
      'AUTH_001',
      `the public key is missing, which only a key id can do without; send it along (X-Provider-Signature: ${scheme.headerForm})`,
    );
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
      ? 'the provider id is not an Ethereum address: where upper and lower case are mixed, they are a checksum (EIP-55), and this one is wrong; copy the address again, or send it all in lower case'
      : 'the provider id is malformed; use your public key (64 lower-case hex digits), your Ethereum address (0x and 40 hex digits), or a name of 1 to 128 of A-Z a-z 0-9 . _ : - that begins with a letter or digit and looks like neither of them',
  );
}

function wrongScheme(id: string, scheme: SignatureScheme): ProtocolError {
  return new ProtocolError(
    'AUTH_001',
    `the signature is not of the form that ${scheme.signers} make, and ${id} can only sign that way; send ${scheme.signatureForm} (over HTTP: X-Provider-Signature: ${scheme.headerForm})`,
  );
}
