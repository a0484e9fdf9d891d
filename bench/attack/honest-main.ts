/** The honest client in a process of its own, controlled by its parent, for one hub after the other. */
import { serveCalls } from '../rpc.js';
import { type Deed, HonestClient } from './honest.js';

/** What an honest client measured. */
export interface Noticed {
  /** Milliseconds. */
  times: Readonly<Record<Deed, number[]>>;
  failures: string[];
}

/** Its functions. */
export interface HonestCalls {
  /** Connects as a client from an address. */
  open: (target: { port: number; from: string }) => Promise<null>;
  /** Starts measuring. */
  begin: (input: null) => null;
  /** Waits for pending responses, and disconnects. */
  end: (input: null) => Promise<Noticed>;
}

let client: HonestClient | undefined;

function opened(): HonestClient {
  if (client === undefined) throw new Error('it was not opened');
  return client;
}

serveCalls<HonestCalls>({
  open: async ({ port, from }) => {
    client = await HonestClient.open(port, from);
    return null;
  },
  begin: () => {
    opened().begin();
    return null;
  },
  end: async () => {
    const { times, failures } = opened();
    await opened().end();
    return { times, failures };
  },
});
