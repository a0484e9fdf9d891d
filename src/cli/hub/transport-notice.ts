import type { TransportChoice } from '../../gateway/transports/index.js';

/**
 * What to tell an operator of the transport that `auto` came to.
 * @param node The version of Node that runs, e.g. `24.1.0`.
 * @returns Null where it is the faster one, or was asked for.
 */
export function transportNotice(choice: TransportChoice, used: 'uws' | 'node', node: string): string | null {
  if (choice !== 'auto' || used === 'uws') return null;
  return (
    `the transport is "node", which serves less at a time: uws-pack has no binary here for Node ${node}. ` +
    "To bring in uWebSockets.js's own release, run in a clone of the hub " +
    'npm install uWebSockets.js@github:uNetworking/uWebSockets.js#<tag>, with a tag that has this Node ' +
    '(docs/operations.md, Transports)'
  );
}
