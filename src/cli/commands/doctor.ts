import type { Command } from 'commander';
import { notes } from '../help/notes.js';
import { examine, type Finding } from '../examination.js';
import { EXIT } from '../exit-codes.js';
import { urlOption } from '../options.js';
import { coloursFor, printable, printableJson } from '../terminal.js';

const SIGNS = { ok: '✓', warning: '!', failed: '✗' } as const;

/** `discovery-hub doctor` */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check step by step whether a provider could work with a hub, and say what to fix')
    .argument('[url]', 'the hub, e.g. https://hub.example.org')
    .addOption(urlOption())
    .option('--json', 'print a JSON object with the findings')
    .addHelpText(
      'after',
      notes(
        '\nNothing is advertised. It ends at the first step that fails: that is the cause.\nExit status: 0 all is well, 1 something has to be fixed.\n\nExample:\n  discovery-hub doctor http://localhost:7465',
      ),
    )
    .action(doctor);
}

async function doctor(argument: string | undefined, flags: { url: string; json?: boolean }): Promise<void> {
  const url = argument ?? flags.url;
  const findings: Finding[] = [];
  for await (const finding of examine(url)) {
    findings.push(finding);
    if (flags.json !== true) show(finding);
  }
  const ok = findings.every(({ outcome }) => outcome !== 'failed');
  if (flags.json === true) process.stdout.write(`${printableJson({ url, ok, findings }, 2)}\n`);
  if (!ok) process.exitCode = EXIT.failed;
}

function show({ step, outcome, detail, fix }: Finding): void {
  const colours = coloursFor(process.stdout);
  const paint = { ok: colours.green, warning: colours.yellow, failed: colours.red };
  process.stdout.write(`${paint[outcome](SIGNS[outcome])} ${step}: ${printable(detail)}\n`);
  if (fix !== undefined) process.stdout.write(`    ${printable(fix)}\n`);
}
