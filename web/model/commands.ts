import type { Filter } from '../../src/client/index.js';
import { formatFilter } from './view.js';

/** A command or snippet that repeats a request outside the dashboard. */
export interface Command {
  readonly title: string;
  readonly text: string;
}

/** Quotes a text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Commands that fetch one provider and verify its proof. */
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

/** Commands that list the matches of a filter, cheapest first, and watch them. */
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
