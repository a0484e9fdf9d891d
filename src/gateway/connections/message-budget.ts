/** A token bucket: a burst of a minute's messages, refilled steadily. */
export class MessageBudget {
  readonly #perMinute: number;
  #tokens: number;
  #refilledAt: number;

  /** @param perMinute 0 for no limit. @param now Service milliseconds. */
  constructor(perMinute: number, now: number) {
    this.#perMinute = perMinute;
    this.#tokens = perMinute;
    this.#refilledAt = now;
  }

  /** Takes one token; false if there is none left. */
  spend(now: number): boolean {
    if (this.#perMinute === 0) return true;
    const refill = ((now - this.#refilledAt) * this.#perMinute) / 60_000;
    this.#tokens = Math.min(this.#perMinute, this.#tokens + refill);
    this.#refilledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
