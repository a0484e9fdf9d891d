/**
 * Why the hub closes a WebSocket. 44xx: reconnecting unchanged is pointless. 45xx and 1001: reconnect with
 * jittered backoff, and resume.
 */
export const CLOSE = {
  goingAway: 1001,
  frameTooBig: 1009,
  malformedFrame: 4400,
  authenticationFailed: 4401,
  admissionTimeout: 4408,
  replaced: 4409,
  internal: 4500,
  overloaded: 4503,
  heartbeatLost: 4504,
  tooSlow: 4507,
  messageRate: 4529,
} as const;

export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];

/** Whether a client closed with this code should reconnect by itself. */
export function shouldReconnect(code: number): boolean {
  return !(code >= 4400 && code < 4500) && code !== CLOSE.frameTooBig;
}
