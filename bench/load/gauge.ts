/** How long something took, and this process's share of a core meanwhile. */
export interface Timing {
  seconds: number;
  cpuShare: number;
}

/** Starts measuring; call the result to stop. */
export function startTiming(): () => Timing {
  const cpu = process.cpuUsage();
  const from = performance.now();
  return () => {
    const seconds = (performance.now() - from) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return { seconds, cpuShare: (user + system) / 1e6 / seconds };
  };
}

/** A quantile of several lists of values together. */
export function quantile(lists: readonly Float64Array[], share: number): number {
  const sorted = new Float64Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    sorted.set(list, at);
    at += list.length;
  }
  sorted.sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/**
 * Does something at a regular rate, however long it takes, and resolves after the last time. Timers have a resolution of a millisecond, so
 * whatever is due within one happens together.
 */
export function paced(perSecond: number, times: number, act: (index: number) => void): Promise<void> {
  return new Promise((resolve) => {
    const from = performance.now();
    let done = 0;
    const step = (): void => {
      const due = Math.min(times, Math.floor(((performance.now() - from) / 1000) * perSecond) + 1);
      for (; done < due; done += 1) act(done);
      if (done === times) resolve();
      else setTimeout(step, 1);
    };
    step();
  });
}
