import { isMissing } from '../../client/node/private-file.js';
import { DiscoveryError, loadSigner, type Signer } from '../../client/node.js';

/**
 * Loads the key of a provider that has advertised before. Unlike the client, it does not suggest making a key: a new one has nothing on
 * the hub.
 * @throws DiscoveryError like `loadSigner`
 */
export async function loadExistingSigner(path: string, providerId?: string): Promise<Signer> {
  try {
    return await loadSigner(path, providerId);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new DiscoveryError(
      'KEY',
      `There is no key file ${path}. Name the key that advertised with --key or DISCOVERY_KEY.`,
      { cause: error },
    );
  }
}
