/**
 * The client of a VM discovery hub in Node: everything that browsers have (see `index.ts` for examples), plus WebSockets with `ws`, and key
 * files.
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
