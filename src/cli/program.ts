import { createRequire } from 'node:module';
import { Command } from 'commander';
import { notes } from './help/notes.js';
import { applyClientSettings, contextOption } from './client-settings.js';
import { addAdvertise } from './commands/advertise.js';
import { addCluster } from './commands/cluster.js';
import { addCompletion } from './commands/completion.js';
import { addConfig } from './commands/config.js';
import { addContext } from './commands/context.js';
import { addDoctor } from './commands/doctor.js';
import { addExplain } from './commands/explain.js';
import { addGet } from './commands/get.js';
import { addKeygen } from './commands/keygen.js';
import { addList } from './commands/list.js';
import { addManual } from './commands/manual.js';
import { addMarket } from './commands/market.js';
import { addServe } from './commands/serve.js';
import { addStatus } from './commands/status.js';
import { addWatch } from './commands/watch.js';
import { addWithdraw } from './commands/withdraw.js';

const { version } = createRequire(import.meta.url)('vm-discovery-hub/package.json') as { version: string };

const COMMANDS = [
  addServe,
  addConfig,
  addCluster,
  addKeygen,
  addAdvertise,
  addStatus,
  addWithdraw,
  addList,
  addWatch,
  addGet,
  addExplain,
  addMarket,
  addDoctor,
  addContext,
  addCompletion,
  addManual,
];

/** The whole command line: help, shell completion and the manual page are generated from it. */
export function buildProgram(): Command {
  const program = new Command('discovery-hub')
    .description('A marketplace for virtual machines, where requestors find providers.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for an explanation)')
    .addHelpText(
      'after',
      notes(
        '\nWithout a command it runs the hub.\nExit status: 0 done, 1 refused or failed, 2 wrong command line, 3 not found, 4 hub not reachable, 5 replaced by another session.\n\nExample:\n  discovery-hub serve',
      ),
    );
  for (const add of COMMANDS) add(program);
  for (const command of program.commands) {
    if (command.options.some(({ long, defaultValue }) => long === '--url' && defaultValue !== undefined)) {
      command.addOption(contextOption());
    }
  }
  return program.hook('preAction', (_program, command) => {
    applyClientSettings(command);
  });
}

/**
 * Adds `serve` to arguments without a command. If it were commander's default command, it would take mistyped names for its own arguments.
 */
export function withDefaultCommand(args: readonly string[]): string[] {
  const [first] = args;
  const isForProgram = first !== undefined && ['-h', '--help', '-V', '--version'].includes(first);
  const namesCommand = first !== undefined && !first.startsWith('-');
  return isForProgram || namesCommand ? [...args] : ['serve', ...args];
}
