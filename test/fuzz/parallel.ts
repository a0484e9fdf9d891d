/** Runs all at once; waits for all of them, whatever happens, before it fails with what failed first. */
export async function inParallel(runs: readonly (() => Promise<void>)[]): Promise<void> {
  const results = await Promise.allSettled(runs.map((run) => run()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
