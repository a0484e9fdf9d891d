import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { generateKey, saveKey } from '../../client/node.js';
import { keyOption } from '../options.js';

/** `discovery-hub keygen` */
export function addKeygen(program: Command): void {
  program
    .command('keygen')
    .description('make a key and print its public part, which is a provider id')
    .addOption(keyOption())
    .addHelpText(
      'after',
      '\nThe file is readable by its owner only, and never overwritten. openssl reads it, too.\n\nExample:\n  discovery-hub keygen --key provider.pem',
    )
    .action(async ({ key: path }: { key: string }) => {
      const key = generateKey();
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      await saveKey(path, key);
      process.stderr.write(`Saved in ${path}; whoever has this file can speak for you.\n`);
      process.stdout.write(`${key.publicKey}\n`);
    });
}
