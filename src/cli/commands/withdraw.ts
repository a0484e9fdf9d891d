import type { Command } from 'commander';
import { DiscoveryClient, loadKey } from '../../client/node.js';
import { EXIT } from '../exit-codes.js';
import { keyOption, urlOption } from '../options.js';

/** `discovery-hub withdraw` */
export function addWithdraw(program: Command): void {
  program
    .command('withdraw')
    .description('take an advertisement back')
    .addOption(urlOption())
    .addOption(keyOption())
    .option('--id <provider id>', 'a name that the key owns; the public key itself unless given')
    .addHelpText(
      'after',
      '\nExit status: 0 withdrawn, 3 there was nothing to withdraw.\n\nExample:\n  discovery-hub withdraw --key provider.pem',
    )
    .action(async (flags: { url: string; key: string; id?: string }) => {
      const key = await loadKey(flags.key);
      const id = flags.id ?? key.publicKey;
      if (await new DiscoveryClient(flags.url).withdraw(key, id)) {
        process.stdout.write(`Withdrew ${id}.\n`);
      } else {
        process.stderr.write(`There was no advertisement of ${id}.\n`);
        process.exitCode = EXIT.notFound;
      }
    });
}
