import { setImmediate as nextTurn } from 'node:timers/promises';

/** Cancels a timer. */
export type CallOff = () => void;

/** Monotonic time and timers. Simulations bring their own. */
export interface Timers {
  /** Milliseconds that never run backwards. */
  now(): number;
  /** Calls back once, after a number of milliseconds. */
  after(ms: number, go: () => void): CallOff;
  /** Calls back repeatedly, at an interval in milliseconds. */
  every(ms: number, go: () => void): CallOff;
  /** Resolves once everything that is due now has run. */
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

/** Resolves after a number of milliseconds. */
export function passed(timers: Timers, ms: number): Promise<void> {
  return new Promise((resolve) => timers.after(ms, resolve));
}
