/**
 * A process that advertises and withdraws as fast as it can until it is killed, and says what was acknowledged.
 * Run directly it is that process; imported it starts one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { advertisementOf, identityOf, openMirror } from './support.js';
import { advertised, withdrawn } from '../../support/data/entries.js';

const FILE = fileURLToPath(import.meta.url);

export interface WriterProcess {
  /** Lines `+id` and `-id` in the order of the acknowledgements. */
  lines: string[];
  /** Resolves when so many lines are there. */
  acknowledged(count: number): Promise<void>;
  /** Kills it with SIGKILL and resolves when it is gone and all it said is in `lines`. */
  kill(): Promise<void>;
}

export async function startWriter(t: TestContext, path: string, prefix = 'p'): Promise<WriterProcess> {
  const child: ChildProcess = spawn(process.execPath, [FILE, path, prefix], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const closed = once(child, 'close');
  const lines: string[] = [];
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    child.emit('lines');
  });
  await once(child, 'spawn');
  return {
    lines,
    async acknowledged(count) {
      while (lines.length < count) {
        const [event] = (await Promise.race([once(child, 'lines'), closed])) as unknown[];
        if (event !== undefined) throw new Error('the writer ended early');
      }
    },
    async kill() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

async function run(path: string, prefix: string): Promise<void> {
  const mirror = await openMirror(path);
  const payload = Buffer.alloc(700, '{"some":"thing"}');
  const signature = 'cd'.repeat(64);
  async function client(number: number): Promise<void> {
    for (let i = 0; ; i += 1) {
      const id = `${prefix}-${String(number)}-${String(i)}`;
      const proof = { publicKey: 'ab'.repeat(32), t: i, payload, signature };
      await mirror.propose(advertised(advertisementOf(id, { proof }), identityOf(id)));
      process.stdout.write(`+${id}\n`);
      if (i % 3 !== 0) continue;
      await mirror.propose(withdrawn(id, identityOf(id, { lastT: 1 })));
      process.stdout.write(`-${id}\n`);
    }
  }
  await Promise.all(Array.from({ length: 64 }, (_, number) => client(number)));
}

const [, script, path, prefix] = process.argv;
if (script === FILE && path !== undefined && prefix !== undefined) await run(path, prefix);
