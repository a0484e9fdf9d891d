import type { Command } from 'commander';
import { examine } from '../examination.js';
import { EXIT } from '../exit-codes.js';
import { coloursFor, printable } from '../terminal.js';

const SIGNS = { ok: '✓', warning: '!', failed: '✗' } as const;

/** `discovery-hub doctor` */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check step by step whether a provider could work with a hub, and say what to fix')
    .argument('<url>', 'the hub, e.g. https://hub.example.org')
    .addHelpText(
      'after',
      '\nNothing is advertised. Exit status: 0 all is well, 1 something has to be fixed.\n\nExample:\n  discovery-hub doctor http://localhost:7465',
    )
    .action(async (url: string) => {
      const colours = coloursFor(process.stdout);
      const paint = { ok: colours.green, warning: colours.yellow, failed: colours.red };
      for await (const { step, outcome, detail, fix } of examine(url)) {
        process.stdout.write(`${paint[outcome](SIGNS[outcome])} ${step}: ${printable(detail)}\n`);
        if (fix !== undefined) process.stdout.write(`    ${printable(fix)}\n`);
        if (outcome === 'failed') process.exitCode = EXIT.failed;
      }
    });
}
