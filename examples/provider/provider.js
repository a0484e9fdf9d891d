// Offers this machine on a hub: its real cores, memory and disk, for as long as this runs.
//
//   npm run build
//   node examples/provider/provider.js [URL] [COUNTRY] [KEY FILE]
import { statfsSync } from 'node:fs';
import { availableParallelism, machine, networkInterfaces, totalmem } from 'node:os';
import { loadOrCreateKey, ProviderSession } from 'vm-discovery-hub/client';

const [url = 'http://localhost:7465', country = 'SE', keyFile = 'provider-key.pem'] = process.argv.slice(2);
const GB = 1024 ** 3;

function thisMachine() {
  const disk = statfsSync('.');
  const addresses = Object.values(networkInterfaces()).flat();
  const address = addresses.find(({ internal, family }) => !internal && family === 'IPv4') ?? addresses[0];
  return {
    ip_address: address.address,
    country,
    platform: machine() === 'aarch64' ? 'arm64' : machine(),
    resources: {
      cpu: availableParallelism(),
      memory: Math.max(1, Math.floor(totalmem() / GB)),
      storage: Math.max(1, Math.floor((disk.bavail * disk.bsize) / GB)),
    },
  };
}

const session = new ProviderSession(url, { key: await loadOrCreateKey(keyFile), advertisement: thisMachine });
session.on('state', ({ state, error }) => console.log(state, error?.message ?? ''));
session.on('published', (advertisement) => console.log('published', JSON.stringify(advertisement)));
session.on('problem', (error) => console.error(error.message));
session.start();

process.once('SIGINT', () => session.stop());
process.once('SIGTERM', () => session.stop());
