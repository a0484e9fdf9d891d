import { LIMITS } from '../protocol/limits.js';

let lastT = 0;

/**
 * A time to sign with: the present, but later than every one before it in this process, because a hub takes no
 * `t` of a provider twice. After the clock was set back by more than any hub tolerates, what was signed ahead
 * was not accepted either, and is forgotten.
 * @param now Unix milliseconds.
 */
export function signingTime(now: number): number {
  const ahead = lastT - now;
  lastT = ahead >= 0 && ahead < LIMITS.maxClockSkewMs ? lastT + 1 : Math.floor(now);
  return lastT;
}
