/**
 * The client of a VM discovery hub under Node: all that the browser has (see `index.ts` for examples), WebSockets
 * by `ws`, and keys in files.
 *
 * @module
 */
import { nodeWebSocket } from './node/web-socket.js';
import { setDefaultWebSocket } from './connection/web-socket.js';

setDefaultWebSocket(nodeWebSocket);

export * from './index.js';
export { loadKey, loadOrCreateKey, saveKey } from './node/key-file.js';
export { loadOrCreateSigner, loadSigner, saveEthereumKey } from './node/signer-file.js';
export { nodeWebSocket };
