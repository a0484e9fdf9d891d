import { useEffect, useRef } from 'preact/hooks';
import { type Signal, useSignal } from '@preact/signals';
import { DiscoveryError } from '../../src/client/index.js';

/** What a page asked the hub for, and what came of it last. */
export interface Answer<Value> {
  /** Null before the first answer. */
  readonly value: Value | null;
  /** Why the last request failed; null when it did not. */
  readonly problem: string | null;
}

/** Milliseconds until another try where the hub does not say. */
const RETRY_MS = 4000;

/**
 * Asks again and again for as long as the component is there and the page is in view; a failed request is repeated, and leaves what
 * was known in place.
 * @param key Asks anew at once when it changes.
 */
export function useAnswer<Value>(
  ask: (signal: AbortSignal) => Promise<Value>,
  key: string,
  everyMs: number,
): Signal<Answer<Value>> {
  const answer = useSignal<Answer<Value>>({ value: null, problem: null });
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
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
