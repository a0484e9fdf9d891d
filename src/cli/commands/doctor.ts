import type { Command } from 'commander';
import { notes } from '../help/notes.js';
import { compareHubs } from '../hub-comparison.js';
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
    .argument('[url]', 'the hub, e.g. https://hub.example.org, or several that are one, comma-separated')
    .addOption(urlOption())
    .option('--json', 'print a JSON object with the findings')
    .addHelpText(
      'after',
      notes(
        '\nNothing is advertised. It ends at the first step that fails: that is the cause. Of several hubs each is checked, and then whether they are one, and how\nfar they are apart.\nExit status: 0 all is well, 1 something has to be fixed.\n\nExample:\n  discovery-hub doctor http://localhost:7465',
      ),
    )
    .action(doctor);
}

async function doctor(argument: string | undefined, flags: { url: string; json?: boolean }): Promise<void> {
  const url = argument ?? flags.url;
  const urls = [...new Set(url.split(',').map((one) => one.trim()))];
  const take = async (found: AsyncIterable<Finding>): Promise<Finding[]> => {
    const findings: Finding[] = [];
    for await (const finding of found) {
      findings.push(finding);
      if (flags.json !== true) show(finding);
    }
    return findings;
  };
  const hubs: { url: string; ok: boolean; findings: Finding[] }[] = [];
  for (const one of urls) {
    if (urls.length > 1 && flags.json !== true) process.stdout.write(`${printable(one)}\n`);
    const findings = await take(examine(one));
    hubs.push({ url: one, ok: isWell(findings), findings });
  }
  const reached = hubs.filter(({ findings }) => findings.some(({ step }) => step === 'round trip'));
  if (reached.length > 1 && flags.json !== true) process.stdout.write('all of them\n');
  const together = reached.length > 1 ? await take(compareHubs(reached.map((hub) => hub.url))) : [];
  const ok = hubs.every((hub) => hub.ok) && isWell(together);
  if (flags.json === true) {
    const report = hubs.length === 1 ? hubs[0]! : { url, ok, hubs, together };
    process.stdout.write(`${printableJson(report, 2)}\n`);
  }
  if (!ok) process.exitCode = EXIT.failed;
}

function isWell(findings: readonly Finding[]): boolean {
  return findings.every(({ outcome }) => outcome !== 'failed');
}

function show({ step, outcome, detail, fix }: Finding): void {
  const colours = coloursFor(process.stdout);
  const paint = { ok: colours.green, warning: colours.yellow, failed: colours.red };
  process.stdout.write(`${paint[outcome](SIGNS[outcome])} ${step}: ${printable(detail)}\n`);
  if (fix !== undefined) process.stdout.write(`    ${printable(fix)}\n`);
}
