const FIRST_BYTES = 1 << 16;
const MAX_BYTES = 1 << 20;

/** Memory for what is needed only until the next time: asking the system for it costs more than filling it. */
export class Scratch {
  #kept = Buffer.alloc(0);

  /** So many bytes, at most a MiB, with any content, which are the caller's until the next call. */
  take(bytes: number): Buffer {
    if (bytes > this.#kept.length)
      this.#kept = Buffer.allocUnsafeSlow(bytes <= FIRST_BYTES ? FIRST_BYTES : MAX_BYTES);
    return this.#kept.subarray(0, bytes);
  }
}
