import { type Advertisement, parseAdvertisement } from '../../protocol/advertisement.js';
import { decodeJson } from '../../protocol/json.js';
import { LIMITS } from '../../protocol/limits.js';

/** The payload of a write is not JSON that the hub accepts. HTTP and WebSocket have different codes for that. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
  readonly problem: 'unreadable' | 'too-large';

  constructor(problem: 'unreadable' | 'too-large', message: string) {
    super(message);
    this.problem = problem;
  }
}

/**
 * Parses an advertisement from the bytes of its JSON text.
 * @throws PayloadError if they are no such text, ProtocolError `ADV_001` or `ADV_002` if the advertisement is invalid.
 */
export function readPayload(payload: Uint8Array): Advertisement {
  if (payload.length > LIMITS.maxBodyBytes) {
    throw new PayloadError('too-large', `the advertisement is over ${String(LIMITS.maxBodyBytes)} bytes`);
  }
  const decoded = decodeJson(payload);
  if (decoded.ok) return parseAdvertisement(decoded.value);
  throw new PayloadError('unreadable', `the advertisement cannot be read: ${decoded.problem}`);
}
