import type { SchemeName } from './schemes/scheme.js';
import { utf8 } from './text.js';

/** What a signature is for. A signature for one action is never valid for another. */
export type SignedAction = 'advertise' | 'withdraw' | 'session';

/** The signed fields. For the `payload` of sessions, see `sessionPayload`. */
export interface SignedFields {
  action: SignedAction;
  providerId: string;
  /** Unix time in milliseconds. */
  t: number;
  payload: Uint8Array | string;
}

/** What a provider signed, as returned by `GET …/proof`, so that nobody has to trust the hub. */
export interface Proof {
  /** Who has signed. */
  provider_id: string;
  /** How the signature is made. */
  scheme: SchemeName;
  /** Null if the provider id determines the signer. */
  public_key: string | null;
  /** When the provider signed, Unix milliseconds, by its own clock. */
  t: number;
  /** The advertisement's JSON text, as it was signed. */
  payload: string;
  /** In hex. */
  signature: string;
}

const FORM = 'vm-discovery/v1';
/** 32 bytes in hex. */
export const NONCE_PATTERN = /^[0-9a-f]{64}$/;

/** The signed text, for a text payload: see `signedBytes`. */
export function signedText({ action, providerId, t, payload }: SignedFields & { payload: string }): string {
  return `${FORM}\n${action}\n${providerId}\n${String(t)}\n${payload}`;
}

/** The exact signed bytes: five fields, separated by line feeds. */
export function signedBytes({ action, providerId, t, payload }: SignedFields): Uint8Array {
  const head = utf8(signedText({ action, providerId, t, payload: '' }));
  const tail = typeof payload === 'string' ? utf8(payload) : payload;
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}

/** The payload of action `session`: the hub's nonce and the host that the client dialled, lower case. */
export function sessionPayload(nonce: string, host: string): string {
  return `${nonce}\n${host.toLowerCase()}`;
}
