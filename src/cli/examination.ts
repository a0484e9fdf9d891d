import { CLOSE } from '../protocol/frames/close-codes.js';
import { explainFailure } from '../client/errors.js';
import { DiscoveryClient, DiscoveryError, generateKey, ProviderSession, watch } from '../client/node.js';
import { within } from './within.js';

/** The result of one step of an examination. */
export interface Finding {
  step: string;
  outcome: 'ok' | 'warning' | 'failed';
  detail: string;
  /** What to do about it. */
  fix?: string;
}

/** Clock skew at which signatures fail, and at which to warn, in milliseconds. */
const MAX_SKEW_MS = 300_000;
const NOTABLE_SKEW_MS = 5000;
const PATIENCE_MS = 10_000;
const ROUND_TRIPS = 5;

const CLOCK_FIX = 'Signatures are refused beyond 300 s: set the clock, e.g. with timedatectl set-ntp true.';

/** A source that never returns an advertisement, so that nothing is published. */
const NOTHING_TO_OFFER = (): Promise<never> => new Promise(() => undefined);

/**
 * Examines a hub the way a provider would use it. Stops at the first failed step, because later ones would fail for the same reason and look
 * like separate problems.
 */
export async function* examine(url: string): AsyncGenerator<Finding, void, undefined> {
  for await (const finding of steps(url)) {
    yield finding;
    if (finding.outcome === 'failed') return;
  }
}

async function* steps(url: string): AsyncGenerator<Finding, void, undefined> {
  let client: DiscoveryClient;
  try {
    client = new DiscoveryClient(url, { timeoutMs: PATIENCE_MS });
  } catch (error) {
    const fix = 'Write it as http://host:port or https://host.';
    yield { step: 'address', outcome: 'failed', detail: messageOf(error), fix };
    return;
  }
  yield* checkReach(url);
  yield await checkHealth(client);
  yield describeSkew(client.clockOffsetMs);
  yield* checkSession(url);
}

async function* checkReach(url: string): AsyncGenerator<Finding, void, undefined> {
  const times: number[] = [];
  try {
    for (let trip = 0; trip < ROUND_TRIPS; trip += 1) {
      const started = performance.now();
      await within(PATIENCE_MS, async (signal) => {
        const response = await fetch(new URL('/health', url), { signal });
        await response.arrayBuffer();
      });
      times.push(performance.now() - started);
    }
  } catch (error) {
    yield {
      step: 'reachable',
      outcome: 'failed',
      detail: explainFailure(error, url),
      fix: connectionFix(error),
    };
    return;
  }
  yield { step: 'reachable', outcome: 'ok', detail: url };
  const best = Math.min(...times);
  const detail = `${best.toFixed(1)} ms at best of ${ROUND_TRIPS}`;
  yield { step: 'round trip', outcome: best > 1000 ? 'warning' : 'ok', detail };
}

async function checkHealth(client: DiscoveryClient): Promise<Finding> {
  try {
    const { status, reason } = await client.health();
    if (status === 'healthy') return { step: 'healthy', outcome: 'ok', detail: 'the hub says so' };
    const fix =
      'Advertisements are refused until this is over; the operator of the hub sees the reason in its log.';
    return { step: 'healthy', outcome: 'failed', detail: reason ?? 'the hub is degraded', fix };
  } catch (error) {
    const fix = 'Something other than a discovery hub seems to answer there.';
    return knownCause(error) ?? { step: 'healthy', outcome: 'failed', detail: messageOf(error), fix };
  }
}

function describeSkew(offset: number | null): Finding {
  const step = 'clock';
  if (offset === null) return { step, outcome: 'warning', detail: 'the hub did not tell its time' };
  const seconds = (Math.abs(offset) / 1000).toFixed(1);
  const detail = `this machine is ${seconds} s ${offset > 0 ? 'behind' : 'ahead of'} the hub`;
  if (Math.abs(offset) > MAX_SKEW_MS) return { step, outcome: 'failed', detail, fix: CLOCK_FIX };
  if (Math.abs(offset) > NOTABLE_SKEW_MS)
    return { step, outcome: 'warning', detail, fix: 'Keep the clock set by NTP.' };
  return { step, outcome: 'ok', detail: 'within a few seconds of the hub' };
}

/** Authenticates with a temporary key, which the hub soon forgets. */
async function* checkSession(url: string): AsyncGenerator<Finding, void, undefined> {
  const session = new ProviderSession(url, { key: generateKey(), advertisement: NOTHING_TO_OFFER });
  const { welcomed, error } = await tryToAuthenticate(session);
  await session.stop();
  if (!welcomed) {
    yield knownCause(error) ?? (await explainHandshake(url, error));
    return;
  }
  yield { step: 'handshake', outcome: 'ok', detail: 'the WebSocket opened and the hub greeted' };
  if (error === null) {
    yield { step: 'host binding', outcome: 'ok', detail: 'a session signed for this address is accepted' };
  } else if (error.code === 'AUTH_005') {
    yield {
      step: 'host binding',
      outcome: 'failed',
      detail: error.message,
      fix: `The hub does not know that it is reached as ${new URL(url.replace(/^ws/, 'http')).host}: add that to DISCOVERY_PUBLIC_HOSTS on the hub or, if it is not set, have the proxy pass the Host header on.`,
    };
  } else {
    yield (
      knownCause(error) ?? {
        step: 'authentication',
        outcome: 'failed',
        detail: error.message,
        fix: 'A fresh key was refused; the operator of the hub sees the reason in its log.',
      }
    );
  }
}

async function explainHandshake(url: string, error: DiscoveryError | null): Promise<Finding> {
  const fix =
    'A reverse proxy has to pass WebSockets on: the headers Upgrade and Connection, HTTP/1.1, and no short timeout.';
  const detail = error?.message ?? 'no WebSocket';
  const only =
    'Only server-sent events get through: requestors can watch here, but providers hold no sessions.';
  const getThrough = await eventsGetThrough(url);
  return { step: 'handshake', outcome: 'failed', detail, fix: getThrough ? `${only} ${fix}` : fix };
}

/** Whether a watch over server-sent events reaches the hub. */
async function eventsGetThrough(url: string): Promise<boolean> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const matches = watch(url, {}, { sort: 'price', limit: 1, transport: 'events', signal });
  // Give up on the first failure, as on silence.
  matches.on('state', ({ state }) => {
    if (state === 'waiting') void matches.stop();
  });
  try {
    await matches.ready;
    return true;
  } catch {
    return false;
  } finally {
    await matches.stop();
  }
}

/** The cause of an error, if it is the same in every step; null if it depends on the step. */
function knownCause(error: unknown): Finding | null {
  if (!(error instanceof DiscoveryError)) return null;
  const { code, status, closeCode, message: detail, retryAfterSeconds } = error;
  if (status === 429) {
    const wait = retryAfterSeconds === null ? 'a minute' : `${String(retryAfterSeconds)} s`;
    const fix = `This address has asked too much of the hub lately: wait for ${wait}. Where many share it, the operator of the hub can raise the limit, or name the proxy in DISCOVERY_TRUST_PROXY.`;
    return { step: 'limits', outcome: 'failed', detail, fix };
  }
  if (code === 'AUTH_002') return { step: 'clock', outcome: 'failed', detail, fix: CLOCK_FIX };
  if (closeCode === CLOSE.overloaded) {
    const fix = 'The hub is stopping, or has no room: try again in a minute.';
    return { step: 'healthy', outcome: 'failed', detail, fix };
  }
  return null;
}

/** Resolves with the first success or failure of a session. */
function tryToAuthenticate(
  session: ProviderSession,
): Promise<{ welcomed: boolean; error: DiscoveryError | null }> {
  return new Promise((resolve) => {
    let welcomed = false;
    const timer = setTimeout(() => {
      resolve({
        welcomed,
        error: new DiscoveryError('TIMEOUT', 'the hub did not finish the handshake in time'),
      });
    }, PATIENCE_MS);
    session.on('state', ({ state, error }) => {
      if (state === 'authenticating') welcomed = true;
      if (state !== 'live' && error === null) return;
      clearTimeout(timer);
      resolve({ welcomed, error });
    });
    session.start();
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `fetch` hides the reason one level down. */
function causeOf(error: unknown): NodeJS.ErrnoException | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? cause : undefined;
}

function connectionFix(error: unknown): string {
  const code = causeOf(error)?.code ?? '';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return 'Write http:// instead of https://, or have the hub, or a proxy before it, terminate TLS.';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'The certificate is for other names: use one of those, or have the certificate made for this one.';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return 'Check the clock of this machine; if it is right, the certificate of the hub has to be renewed.';
  if (code.includes('CERT') || code.includes('SIGNATURE') || code.includes('ISSUER'))
    return 'This machine does not trust the issuer of the certificate, or intermediate certificates are missing. If the certificate is your own, name its file: NODE_EXTRA_CA_CERTS=ca.pem.';
  return 'Check the address and port, http or https, that the hub is running, and that no firewall is in between.';
}
