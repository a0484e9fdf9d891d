/**
 * Does something that gives up after so many milliseconds. With `AbortSignal.timeout`, the process would end while nothing but a request of
 * `fetch` keeps it.
 */
export async function within<Result>(
  ms: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new DOMException(`no answer within ${String(ms / 1000)} s`, 'TimeoutError'));
  }, ms);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
