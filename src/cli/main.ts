#!/usr/bin/env node
import { Command } from 'commander';
import { serve } from './serve.js';

const program = new Command('discovery-hub')
  .description('Where providers of virtual machines and those who look for one meet.')
  .showHelpAfterError();

program
  .command('serve', { isDefault: true })
  .description('run the hub; its settings are environment variables (DISCOVERY_…) or lines of .env')
  .addHelpText('after', '\nExample:\n  DISCOVERY_PORT=8080 discovery-hub serve')
  .action(serve);

await program.parseAsync();
