import { KEY_PATTERN, SCHEMES, type SignatureScheme } from './schemes/table.js';

/** The fields of `X-Provider-Signature`. */
export interface SignatureHeader {
  /** Unix milliseconds. */
  t: number;
  /** Null if `k` was left out. */
  publicKey: string | null;
  scheme: SignatureScheme;
  /** As received. */
  signature: string;
}

/** Formats the value of `X-Provider-Signature`. */
export function formatSignatureHeader({ t, publicKey, scheme, signature }: SignatureHeader): string {
  const key = publicKey === null ? '' : `,k=${publicKey}`;
  return `t=${String(t)}${key},${scheme.headerField}=${signature}`;
}

const TIME_PATTERN = /^(0|[1-9][0-9]{0,15})$/;
const FIELDS: ReadonlySet<string> = new Set(['t', 'k', ...SCHEMES.map(({ headerField }) => headerField)]);

/** Parses `t=…,k=…` and the signature of one scheme, in any order, each at most once; null for anything else. */
export function parseSignatureHeader(header: string): SignatureHeader | null {
  if (header.length > 512) return null;
  const fields = new Map<string, string>();
  for (const part of header.split(',')) {
    const separator = part.indexOf('=');
    const name = part.slice(0, Math.max(separator, 0)).trim();
    if (separator < 0 || fields.has(name) || !FIELDS.has(name)) return null;
    fields.set(name, part.slice(separator + 1).trim());
  }
  const t = fields.get('t');
  const publicKey = fields.get('k') ?? null;
  const [scheme, ...others] = SCHEMES.filter(({ headerField }) => fields.has(headerField));
  if (t === undefined || !TIME_PATTERN.test(t) || scheme === undefined || others.length > 0) return null;
  const signature = fields.get(scheme.headerField)!;
  if (!scheme.signaturePattern.test(signature)) return null;
  if (publicKey !== null && !KEY_PATTERN.test(publicKey)) return null;
  const time = Number(t);
  return Number.isSafeInteger(time) ? { t: time, publicKey, scheme, signature } : null;
}
