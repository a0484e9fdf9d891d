import type * as Uws from 'uWebSockets.js';
import { plainAddress } from '../shared.js';

/** The most addresses to cache. */
const MAX_REMEMBERED = 4096;

/** Cached texts of addresses by their bytes: the library cannot store one with a connection. */
const peers = new Map<string, string>();

/** A connection's peer address, as text. Asking the operating system costs as much as the rest of a short request. */
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
