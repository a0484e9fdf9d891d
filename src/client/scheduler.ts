/** What tells the time and runs things later. Tests drive their own. */
export interface Scheduler {
  /** Unix time in milliseconds; may jump. */
  now(): number;
  /**
   * Calls `run` once, after so many milliseconds.
   * @returns A function that takes it back.
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
