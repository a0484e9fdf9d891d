import type { Filter } from '../../src/client/index.js';
import { formatFilter } from './view.js';

/** One way of asking a hub the same from elsewhere. */
export interface Command {
  readonly title: string;
  readonly text: string;
}

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Ways to get one provider, and to check its proof. */
export function providerCommands(hub: string, providerId: string): Command[] {
  const path = `${hub}/api/v1/advertisements/${encodeURIComponent(providerId)}`;
  return [
    { title: 'curl', text: `curl ${shellWord(path)}` },
    { title: 'Terminal', text: `discovery-hub get --url ${shellWord(hub)} ${shellWord(providerId)}` },
    {
      title: 'TypeScript',
      text: `import { DiscoveryClient, verifyProof } from 'vm-discovery-hub/client';

const hub = new DiscoveryClient(${JSON.stringify(hub)});
const id = ${JSON.stringify(providerId)};
const [published, proof] = await Promise.all([hub.get(id), hub.proof(id)]);
if (published !== null && proof !== null) console.log(verifyProof(proof, { published }));`,
    },
  ];
}

/** Ways to get what a filter matches, cheapest first, and to go on watching it. */
export function filterCommands(hub: string, filter: Filter): Command[] {
  const query = formatFilter(filter);
  const list = `${hub}/api/v1/advertisements?${query === '' ? '' : `${query}&`}sort=price&limit=10`;
  return [
    { title: 'curl', text: `curl ${shellWord(list)}` },
    {
      title: 'TypeScript',
      text: `import { watch } from 'vm-discovery-hub/client';

const matches = watch(${JSON.stringify(hub)}, ${JSON.stringify(filter)});
for await (const change of matches) console.log(change.type, change.advertisement);`,
    },
  ];
}
