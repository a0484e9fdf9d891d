import { DiscoveryError, type ProviderSession, type Visibility } from '../../client/node.js';

/** How often a hub is asked, in milliseconds. It answers once in 5 s. */
const ASK_MS = 30_000;

/**
 * Asks the hub who sees the provider: once it is advertised, and from then on as long as the session is live.
 * @param told Gets each answer.
 * @returns What ends that.
 */
export function askForVisibility(
  session: ProviderSession,
  told: (visibility: Visibility) => void,
): () => void {
  const ask = (): void => {
    if (session.state !== 'live') return;
    session.visibility().then(told, (error: unknown) => {
      // A hub that is too old to know the question does not get it again.
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
