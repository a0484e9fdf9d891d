import { signal } from '@preact/signals';

/** The browser's time in Unix milliseconds, updated every second. */
export const localNow = signal(Date.now());

setInterval(() => {
  localNow.value = Date.now();
}, 1000);
