// When to do what can wait.

/**
 * Calls back once the browser has shown what is rendered now.
 * @returns A function that cancels it.
 */
export function afterPaint(run: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const frame = requestAnimationFrame(() => {
    timer = setTimeout(run);
  });
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}

/** Calls back when the browser has nothing else to do, or in a second. */
export function whenIdle(run: () => void): void {
  // Not every browser can tell.
  if ('requestIdleCallback' in globalThis) requestIdleCallback(run, { timeout: 1000 });
  else setTimeout(run, 200);
}
