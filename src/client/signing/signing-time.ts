import { LIMITS } from '../../protocol/limits.js';

let lastT = 0;

/**
 * The time to sign with: the present, but later than all earlier ones in this process, because a hub accepts each `t` of a provider only once.
 * So after the clock was set back, it is the last one plus 1 ms, as far as the hub tolerates; a time further ahead of the hub was not accepted
 * anyway, and is forgotten.
 * @param now Unix milliseconds, by the local clock.
 * @param hubNow The same by the hub's clock, if known.
 */
export function signingTime(now: number, hubNow = now): number {
  const isTolerated = lastT + 1 - hubNow < LIMITS.maxClockSkewMs;
  lastT = lastT >= now && isTolerated ? lastT + 1 : Math.floor(now);
  return lastT;
}
