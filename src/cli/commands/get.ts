import type { Command } from 'commander';
import { notes } from '../help/notes.js';
import { DiscoveryClient, verifyProof } from '../../client/node.js';
import { EXIT } from '../exit-codes.js';
import { urlOption } from '../options.js';
import { findProvider } from '../provider-lookup.js';
import { coloursFor, printableJson } from '../terminal.js';

/** `discovery-hub get` */
export function addGet(program: Command): void {
  program
    .command('get')
    .description('show one provider, and check its signature without trusting the hub')
    .argument('<id>', 'the provider id, an unambiguous prefix of it, or its shortened form in a table')
    .addOption(urlOption())
    .addHelpText(
      'after',
      notes(
        '\nThe advertisement goes to standard output as JSON, what was found about its signature to standard error.\nExit status: 0 verified, 1 unsigned or not what was signed, 2 several fit, 3 no such provider.\n\nExample:\n  discovery-hub get provider-1\n  discovery-hub get 0133ad7a',
      ),
    )
    .action(get);
}

async function get(id: string, flags: { url: string }): Promise<void> {
  const client = new DiscoveryClient(flags.url);
  const colours = coloursFor(process.stderr);
  const advertisement = await findProvider(client, id);
  if (advertisement === null) {
    process.stderr.write(`There is no advertisement of ${id} on ${flags.url}.\n`);
    process.exitCode = EXIT.notFound;
    return;
  }
  process.stdout.write(`${printableJson(advertisement, 2)}\n`);
  const proof = await client.proof(advertisement.provider_id);
  if (proof === null) {
    process.stderr.write(colours.yellow('Not signed: anybody may have sent this.\n'));
    process.exitCode = EXIT.failed;
    return;
  }
  // Throws if the proof does not hold, or does not match what the hub shows.
  const { publicKey, providerId } = verifyProof(proof, { published: advertisement });
  const signer = publicKey ?? `the Ethereum account ${providerId}`;
  const when = new Date(proof.t).toISOString();
  process.stderr.write(colours.green(`Verified: signed by ${signer} at ${when}.\n`));
}
