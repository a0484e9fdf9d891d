#!/usr/bin/env node
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { addAdvertise } from './commands/advertise.js';
import { addConfig } from './commands/config.js';
import { addDoctor } from './commands/doctor.js';
import { addGet } from './commands/get.js';
import { addKeygen } from './commands/keygen.js';
import { addList } from './commands/list.js';
import { addServe } from './commands/serve.js';
import { addStatus } from './commands/status.js';
import { addWatch } from './commands/watch.js';
import { addWithdraw } from './commands/withdraw.js';
import { EXIT, exitCodeOf } from './exit-codes.js';
import { coloursFor, printable, toleratePipeEnd } from './terminal.js';

const { version } = createRequire(import.meta.url)('vm-discovery-hub/package.json') as { version: string };

const program = new Command('discovery-hub')
  .description('Where providers of virtual machines and those who look for one meet.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(add --help for an explanation)')
  .addHelpText(
    'after',
    '\nExit status: 0 done, 1 refused or failed, 2 wrong command line, 3 not found, 4 hub not reachable, 5 replaced by another session.\n\nExample:\n  discovery-hub serve',
  );

for (const add of [
  addServe,
  addConfig,
  addKeygen,
  addAdvertise,
  addStatus,
  addWithdraw,
  addList,
  addWatch,
  addGet,
  addDoctor,
]) {
  add(program);
}
for (const command of program.commands) command.exitOverride();

toleratePipeEnd();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    process.stderr.write(`${coloursFor(process.stderr).red(printable((error as Error).message))}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
