import type * as Uws from 'uWebSockets.js';
import { plainAddress } from '../shared.js';

/** How many addresses are remembered. */
const MAX_REMEMBERED = 4096;

/** Texts of addresses seen lately, by their bytes: the library has nowhere to keep one with a connection. */
const peers = new Map<string, string>();

/** The address of a connection's other end, as text. Asking the system costs as much as all the rest of a short request. */
export function readPeer(res: Uws.HttpResponse): string {
  const bytes = Buffer.from(res.getRemoteAddress()).toString('latin1');
  let text = peers.get(bytes);
  if (text === undefined) {
    if (peers.size >= MAX_REMEMBERED) peers.clear();
    text = plainAddress(Buffer.from(res.getRemoteAddressAsText()).toString('latin1'));
    peers.set(bytes, text);
  }
  return text;
}
