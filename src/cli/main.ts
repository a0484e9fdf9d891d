#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT, exitCodeOf } from './exit-codes.js';
import { buildProgram, withDefaultCommand } from './program.js';
import { coloursFor, printable, toleratePipeEnd } from './terminal.js';

toleratePipeEnd();
try {
  await buildProgram().parseAsync(withDefaultCommand(process.argv.slice(2)), { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    process.stderr.write(`${coloursFor(process.stderr).red(printable((error as Error).message))}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
