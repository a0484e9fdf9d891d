/** Names of the files in a hub's folder that make `shim.ts` bring about a fault, and what they hold. */
export const FAULT_FILES = {
  /** Milliseconds that the wall clock is set to be ahead. */
  wallOffset: 'fault-wall-offset',
  /** Milliseconds to block the event loop for; gone when that is over. */
  block: 'fault-block',
  /** A pipe: the mirror's thread waits, as for a disk that hangs, until somebody has opened it to write. */
  diskHangs: 'fault-disk-hangs',
  /** Ends the mirror's thread over its next request, `before` or `after` it is done, but always before the answer. */
  threadDies: 'fault-thread-dies',
} as const;
