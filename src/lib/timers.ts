import { setImmediate as nextTurn } from 'node:timers/promises';

/** Calls off what was to happen. */
export type CallOff = () => void;

/** Monotonic time, and what happens later. Simulations have their own. */
export interface Timers {
  /** Milliseconds that never run backwards. */
  now(): number;
  /** Calls back once, after so many milliseconds. */
  after(ms: number, go: () => void): CallOff;
  /** Calls back again and again, each so many milliseconds after the last. */
  every(ms: number, go: () => void): CallOff;
  /** Resolves when what is due now has happened. */
  turn(): Promise<void>;
}

export const systemTimers: Timers = {
  now: () => performance.now(),
  after: (ms, go) => {
    const timer = setTimeout(go, ms);
    return () => {
      clearTimeout(timer);
    };
  },
  every: (ms, go) => {
    const timer = setInterval(go, ms);
    return () => {
      clearInterval(timer);
    };
  },
  turn: () => nextTurn(),
};

/** Resolves after so many milliseconds. */
export function passed(timers: Timers, ms: number): Promise<void> {
  return new Promise((resolve) => timers.after(ms, resolve));
}
