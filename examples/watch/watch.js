// Shows the providers that match a filter, and every change of them, one JSON object a line.
//
//   npm run build
//   node examples/watch/watch.js [URL] [FILTER]
//   node examples/watch/watch.js http://localhost:7465 '{"cpu":2,"country":["SE","NO"]}'
import { watch } from 'vm-discovery-hub/client';

const [url = 'http://localhost:7465', filter = '{}'] = process.argv.slice(2);

const matches = watch(url, JSON.parse(filter));
matches.on('state', ({ state, error }) => console.error(state, error?.message ?? ''));
process.once('SIGINT', () => matches.stop());
process.once('SIGTERM', () => matches.stop());

for await (const change of matches) console.log(JSON.stringify(change));
