import { DiscoveryError, type ProviderSession, type Visibility } from '../../client/node.js';

/** Time between requests, in milliseconds. A hub answers one every 5 s. */
const ASK_MS = 30_000;

/**
 * Asks the hub repeatedly who sees the provider, from the first advertisement on while the session is live.
 * @param told Receives each answer.
 * @returns A function that stops it.
 */
export function askForVisibility(
  session: ProviderSession,
  told: (visibility: Visibility) => void,
): () => void {
  const ask = (): void => {
    if (session.state !== 'live') return;
    session.visibility().then(told, (error: unknown) => {
      // An older hub that does not know the request is not asked again.
      if (error instanceof DiscoveryError && error.code === 'WS_001') stop();
    });
  };
  const timer = setInterval(ask, ASK_MS);
  const forget = session.on('published', ask);
  const stop = (): void => {
    clearInterval(timer);
    forget();
  };
  return stop;
}
