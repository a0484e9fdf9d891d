import { generateKey, ProviderSession } from '../../src/client/node.js';
import { ADVERTISEMENT } from '../support/hubs/test-hub.js';

/** A provider's daemon: keeps one session with the hub that it is told, and writes each of its states as a line. */
const session = new ProviderSession(process.argv[2]!, { key: generateKey(), advertisement: ADVERTISEMENT });
session.on('state', ({ state, error }) => {
  const code = error?.closeCode ?? '';
  process.stdout.write(`${state} ${code}\n`);
});
session.start();
