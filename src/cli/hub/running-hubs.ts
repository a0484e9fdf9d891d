import { within } from '../within.js';

/** A running hub's figures, from its metrics; null if unavailable. */
export interface RunningHub {
  url: string;
  /** Why it could not be queried; null if it could. */
  problem: string | null;
  /** Its name in the store. */
  hub: string | null;
  /** The epoch of the store that it follows. */
  epoch: string | null;
  /** The last revision of the store that it has applied. */
  revision: number | null;
  /** Seconds since it last renewed its lease. */
  leaseAgeSeconds: number | null;
  sessions: number | null;
}

const PATIENCE_MS = 3000;

/** Queries hubs by their URLs. */
export function askHubs(urls: readonly string[]): Promise<RunningHub[]> {
  return Promise.all(urls.map(askHub));
}

async function askHub(url: string): Promise<RunningHub> {
  const nothing = { url, hub: null, epoch: null, revision: null, leaseAgeSeconds: null, sessions: null };
  try {
    const metrics = await textOf(new URL('/metrics', url));
    const health = await healthOf(new URL('/health', url));
    const number = (name: string): number | null => {
      const text = new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1];
      return text === undefined ? null : Number(text);
    };
    return {
      url,
      problem: health,
      hub: /^discovery_store_hub\{hub="([^"]+)"\} 1$/m.exec(metrics)?.[1] ?? null,
      epoch: /^discovery_store_epoch\{epoch="([^"]+)"\} 1$/m.exec(metrics)?.[1] ?? null,
      revision: number('discovery_store_revision'),
      leaseAgeSeconds: number('discovery_store_lease_age_seconds'),
      sessions: number('discovery_sessions'),
    };
  } catch (error) {
    const { cause, message } = error as Error;
    return { ...nothing, problem: cause instanceof Error && cause.message !== '' ? cause.message : message };
  }
}

function textOf(url: URL): Promise<string> {
  return within(PATIENCE_MS, async (signal) => {
    const response = await fetch(url, { signal });
    if (!response.ok) throw new Error(`HTTP ${String(response.status)} for ${url.pathname}`);
    return response.text();
  });
}

/** @returns Why it is not healthy; null if it is. */
function healthOf(url: URL): Promise<string | null> {
  return within(PATIENCE_MS, async (signal) => {
    const response = await fetch(url, { signal });
    if (response.ok) return null;
    const body = (await response.json().catch(() => null)) as { reason?: unknown } | null;
    return typeof body?.reason === 'string' ? body.reason : `HTTP ${String(response.status)}`;
  });
}
