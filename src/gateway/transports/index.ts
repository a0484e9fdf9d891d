import type { StartTransport } from './port.js';
import { startNode } from './node/transport.js';
import { loadUws, startUws } from './uws/transport.js';

/** `auto` takes `uws` where its binary loads, else `node`. */
export type TransportChoice = 'auto' | 'uws' | 'node';

/** The transport of that name. `uws` rejects with the reason where its binary does not load. */
export function startTransport(choice: TransportChoice): StartTransport {
  if (choice === 'node') return startNode;
  return async (...parameters) => {
    try {
      await loadUws();
    } catch (cause) {
      if (choice === 'auto') return startNode(...parameters);
      const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
      throw new Error(
        `The transport "uws" has no binary for Node ${process.versions.node} on ${process.platform}-${process.arch}. ` +
          `Choose "auto" or "node". (${reason})`,
        { cause },
      );
    }
    return startUws(...parameters);
  };
}
