import { LIMITS } from '../../protocol/limits.js';

let lastT = 0;

/**
 * A time to sign with: the present, but later than every one before it in this process, because a hub takes no
 * `t` of a provider twice. So after the clock was set back, it is the last one and 1 ms, as long as the hub tolerates
 * that; what lies further ahead of the hub was not accepted either, and is forgotten.
 * @param now Unix milliseconds, by the clock here.
 * @param hubNow The same by the hub's clock, where it is known.
 */
export function signingTime(now: number, hubNow = now): number {
  const isTolerated = lastT + 1 - hubNow < LIMITS.maxClockSkewMs;
  lastT = lastT >= now && isTolerated ? lastT + 1 : Math.floor(now);
  return lastT;
}
