/**
 * What a hub's process does to itself before its own program runs (`node --import`), when files in its folder say so.
 * Each is in place of a fault that a test cannot bring about from outside.
 */
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { isMainThread, type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { FAULT_FILES } from './fault-files.js';

/** How often the files are looked for, in milliseconds. */
const LOOK_MS = 20;

function setClock(): void {
  const trueNow = Date.now;
  let offset = 0;
  Date.now = () => trueNow() + offset;
  setInterval(() => {
    if (existsSync(FAULT_FILES.wallOffset)) offset = Number(readFileSync(FAULT_FILES.wallOffset, 'utf8'));
    if (!existsSync(FAULT_FILES.block)) return;
    const ms = Number(readFileSync(FAULT_FILES.block, 'utf8'));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    rmSync(FAULT_FILES.block);
  }, LOOK_MS).unref();
}

function spoilMirror(port: MessagePort): void {
  const listen = port.on.bind(port);
  const answer = port.postMessage.bind(port);
  let dies: string | null = null;
  const end = (when: string): void => {
    if (dies === when) throw new Error(`the thread was told to die ${when} its work was done`);
  };
  port.on = ((event: string, listener: (message: unknown) => void) =>
    listen(event as 'message', (message: unknown) => {
      if (existsSync(FAULT_FILES.diskHangs)) closeSync(openSync(FAULT_FILES.diskHangs, 'r'));
      dies = existsSync(FAULT_FILES.threadDies) ? readFileSync(FAULT_FILES.threadDies, 'utf8') : null;
      rmSync(FAULT_FILES.threadDies, { force: true });
      end('before');
      listener(message);
    })) as MessagePort['on'];
  port.postMessage = (message: unknown) => {
    end('after');
    answer(message);
  };
}

if (isMainThread) setClock();
// Only the thread that writes is told of a fencing token.
else if (parentPort !== null && 'fencingToken' in Object(workerData as unknown)) spoilMirror(parentPort);
