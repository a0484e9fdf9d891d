import {
  DiscoveryError,
  ed25519Signer,
  ethereumSigner,
  keyFromSeed,
  type Signer,
} from '../../src/client/index.js';

/** What precedes the 32 bytes of the seed in the PKCS#8 form of an Ed25519 key (RFC 8410). */
const PKCS8_HEAD = '302e020100300506032b657004220420';
/** Characters of a file that may hold a key; nobody reads more. */
const MAX_KEY_FILE = 10_000;

/**
 * Reads a key file, whatever was chosen or dropped.
 * @throws DiscoveryError `KEY` when it is none, saying why.
 */
export async function readChosenFile(file: Pick<Blob, 'slice'>): Promise<Signer> {
  let text: string;
  try {
    text = await file.slice(0, MAX_KEY_FILE + 1).text();
  } catch (error) {
    throw new DiscoveryError(
      'KEY',
      'this cannot be read; it may be a folder, or have been changed or removed',
      {
        cause: error,
      },
    );
  }
  return readKeyFile(text);
}

/**
 * Makes a signer of what a key file holds: the PEM of an Ed25519 key, the private key of an Ethereum account as 64 hex digits, or the
 * JSON with `address` and `private_key` of the first generation.
 * @throws DiscoveryError `KEY` when it holds none of them; the message says nothing of what it holds.
 */
export function readKeyFile(text: string): Signer {
  const content = text.trim();
  if (content === '') return refuse('the file is empty');
  if (content.length > MAX_KEY_FILE) return refuse('the file is too long for a key');
  if (isBinary(content)) return refuse('the file is not text; a key file is');
  if (content.startsWith('{')) return fromFirstGeneration(content);
  if (/^(?:0x)?[0-9a-fA-F]{64}$/.test(content)) return ethereumSigner(content);
  const body = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(content)?.[1];
  if (body === undefined) {
    const kind = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(content)?.[1] ?? '';
    if (kind.includes('ENCRYPTED') || content.includes('Proc-Type: 4,ENCRYPTED'))
      return refuse('the key is encrypted; decrypt it first, for instance with openssl pkey');
    if (kind.includes('PUBLIC')) return refuse('the file holds a public key; the private one is needed');
    if (kind.includes('CERTIFICATE')) return refuse('the file holds a certificate; a private key is needed');
    if (kind !== '') return refuse('the PEM holds no Ed25519 key in PKCS#8 form (“BEGIN PRIVATE KEY”)');
    return refuse(
      'the file holds neither an Ed25519 key in PEM form, nor 64 hex digits, nor JSON with address and private_key',
    );
  }
  const hex = hexOfBase64(body.replace(/\s/g, ''));
  if (!hex?.startsWith(PKCS8_HEAD) || hex.length !== PKCS8_HEAD.length + 64)
    return refuse('the PEM holds no Ed25519 key; an Ethereum account is read from its 64 hex digits');
  return ed25519Signer(keyFromSeed(hex.slice(PKCS8_HEAD.length)));
}

/** Whether a text has control characters that come before the tab, or stands for bytes that are no UTF-8. */
function isBinary(text: string): boolean {
  return Array.from(text).some((character) => character < '\t' || character === '\ufffd');
}

function fromFirstGeneration(text: string): Signer {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return refuse('the file begins as JSON and is none');
  }
  const { private_key: key } = (read ?? {}) as { private_key?: unknown };
  return typeof key === 'string' ? ethereumSigner(key) : refuse('the JSON has no private_key');
}

function hexOfBase64(text: string): string | null {
  try {
    return Array.from(atob(text), (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  } catch {
    return null;
  }
}

function refuse(problem: string): never {
  throw new DiscoveryError('KEY', problem);
}
