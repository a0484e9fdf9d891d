/** Clock and timers. Tests drive their own. */
export interface Scheduler {
  /** Unix time in milliseconds; may jump. */
  now(): number;
  /**
   * Calls `run` once, after a number of milliseconds.
   * @returns A function that cancels it.
   */
  after(ms: number, run: () => void): () => void;
}

export const systemScheduler: Scheduler = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};
