import * as z from 'zod';
import { DiscoveryError } from './errors.js';

const errorBody = z.object({ code: z.string(), message: z.string() });

/** The error for an HTTP response. */
export function refusal(
  status: number,
  headers: { get(name: string): string | null },
  body: unknown,
): DiscoveryError {
  const wait = /^\d{1,9}$/.exec(headers.get('Retry-After') ?? '');
  const options = { status, retryAfterSeconds: wait === null ? null : Number(wait[0]) };
  const known = errorBody.safeParse(body);
  if (known.success) return DiscoveryError.fromBody(known.data, options);
  return new DiscoveryError(
    'UNEXPECTED',
    `the answer was HTTP ${String(status)}, and not from a hub`,
    options,
  );
}

/** The parsed JSON, or undefined if it is invalid. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
