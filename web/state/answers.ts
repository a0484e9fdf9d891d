import { useEffect, useRef } from 'preact/hooks';
import { type Signal, useSignal } from '@preact/signals';
import { DiscoveryError } from '../../src/client/index.js';

/** The latest result of a polled request. */
export interface Answer<Value> {
  /** Null before the first answer. */
  readonly value: Value | null;
  /** Why the last request failed; null if it succeeded. */
  readonly problem: string | null;
}

/** Retry delay in milliseconds if the hub names none. */
const RETRY_MS = 4000;

/**
 * Polls while the component is mounted and the page is visible. A failed request is retried; the last value stays.
 * @param key A new key restarts polling at once; null stops it.
 */
export function useAnswer<Value>(
  ask: (signal: AbortSignal) => Promise<Value>,
  key: string | null,
  everyMs: number,
): Signal<Answer<Value>> {
  const answer = useSignal<Answer<Value>>({ value: null, problem: null });
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (key === null) return undefined;
    const control = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = (ms: number): void => {
      timer = setTimeout(() => void once(), ms);
    };
    const once = async (): Promise<void> => {
      if (document.hidden) {
        later(1000);
        return;
      }
      try {
        answer.value = { value: await latest.current(control.signal), problem: null };
        later(everyMs);
      } catch (error) {
        if (control.signal.aborted) return;
        const { message, retryAfterSeconds } = DiscoveryError.from(error, 'UNEXPECTED');
        answer.value = { value: answer.peek().value, problem: message };
        later(retryAfterSeconds === null ? RETRY_MS : retryAfterSeconds * 1000);
      }
    };
    void once();
    return () => {
      control.abort();
      clearTimeout(timer);
    };
  }, [key, everyMs]);
  return answer;
}
