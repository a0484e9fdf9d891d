import { setTimeout as delay } from 'node:timers/promises';

/** Longer than anything takes that is waited for. */
const PATIENCE_MS = 90_000;

/** Asks again and again until something holds that nobody announces. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it never came true that ${what}`);
    await delay(20);
  }
}
