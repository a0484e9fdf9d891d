import type { StartTransport } from './port.js';
import { startNode } from './node/transport.js';
import { loadUws, startUws } from './uws/transport.js';

/** `auto` is `uws` if its binary loads, otherwise `node`. */
export type TransportChoice = 'auto' | 'uws' | 'node';

/** Loads a transport by name. `uws` rejects with the reason if its binary does not load. */
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
