import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { notes } from '../help/notes.js';
import {
  DiscoveryError,
  ethereumSigner,
  generateEthereumKey,
  generateKey,
  loadSigner,
  saveEthereumKey,
  saveKey,
} from '../../client/node.js';
import { EXIT } from '../exit-codes.js';
import { keyOption } from '../options.js';

/** `discovery-hub keygen` */
export function addKeygen(program: Command): void {
  program
    .command('keygen')
    .description('make a key and print its provider id')
    .addOption(keyOption())
    .option('--ethereum', 'make an Ethereum account; its address is the provider id')
    .addHelpText(
      'after',
      notes(
        '\nThe file is readable by its owner only, and never overwritten: where there is a key\nalready, its provider id is printed, and the exit status is 1. openssl reads an Ed25519 key, too; the\nkey of an Ethereum account is in hex, as geth and other tools read it.\n\nExample:\n  discovery-hub keygen --key provider.pem\n  discovery-hub keygen --ethereum --key account.hex',
      ),
    )
    .action(async ({ key: path, ethereum }: { key: string; ethereum?: boolean }) => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      try {
        const providerId = await (ethereum === true ? makeAccount(path) : makeKey(path));
        process.stderr.write(`Saved in ${path}; whoever has this file can speak for you.\n`);
        process.stdout.write(`${providerId}\n`);
      } catch (error) {
        if (!exists(error)) throw error;
        const { providerId } = await loadSigner(path);
        process.stderr.write(`${path} exists already, and a key is never overwritten. It speaks for:\n`);
        process.stdout.write(`${providerId}\n`);
        process.exitCode = EXIT.failed;
      }
    });
}

/** Whether a key could not be saved because there is a file already. */
function exists(error: unknown): boolean {
  const cause = error instanceof DiscoveryError ? error.cause : undefined;
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'EEXIST';
}

async function makeKey(path: string): Promise<string> {
  const key = generateKey();
  await saveKey(path, key);
  return key.publicKey;
}

async function makeAccount(path: string): Promise<string> {
  const privateKey = generateEthereumKey();
  await saveEthereumKey(path, privateKey);
  return ethereumSigner(privateKey).providerId;
}
