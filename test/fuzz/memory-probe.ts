import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a hub's process before the hub: at SIGUSR2 it says how much memory is held once everything that nobody
 * holds is gone. It needs `--expose-gc`.
 */
if (isMainThread) {
  let reports = 0;
  process.on('SIGUSR2', () => {
    globalThis.gc?.();
    // What the first let go of may have held more.
    setImmediate(() => {
      globalThis.gc?.();
      const { heapUsed, external, rss } = process.memoryUsage();
      reports += 1;
      process.stdout.write(`${JSON.stringify({ report: reports, heapUsed, external, rss })}\n`);
    });
  });
}
