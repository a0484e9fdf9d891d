import type { Command } from 'commander';
import { notes } from '../help/notes.js';
import { DiscoveryClient } from '../../client/node.js';
import { EXIT } from '../exit-codes.js';
import { keyOption, urlOption } from '../options.js';
import { loadExistingSigner } from '../provider/existing-key.js';

/** `discovery-hub withdraw` */
export function addWithdraw(program: Command): void {
  program
    .command('withdraw')
    .description('withdraw an advertisement')
    .addOption(urlOption())
    .addOption(keyOption())
    .option('--id <provider id>', 'a name bound to the Ed25519 key; by default the id of the key itself')
    .addHelpText(
      'after',
      notes(
        '\nExit status: 0 withdrawn, 3 there was nothing to withdraw.\n\nExample:\n  discovery-hub withdraw --key provider.pem',
      ),
    )
    .action(async (flags: { url: string; key: string; id?: string }) => {
      const signer = await loadExistingSigner(flags.key, flags.id);
      const id = signer.providerId;
      if (await new DiscoveryClient(flags.url).withdraw(signer)) {
        process.stdout.write(`Withdrew ${id}.\n`);
      } else {
        process.stderr.write(`There was no advertisement of ${id}.\n`);
        process.exitCode = EXIT.notFound;
      }
    });
}
