import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { FilterInput } from '../client/node.js';

/** Where a key is kept unless told otherwise. */
export const DEFAULT_KEY_FILE = join(homedir(), '.config', 'discovery-hub', 'key.pem');

/** `--url`, or the environment's `DISCOVERY_URL`. */
export function urlOption(): Option {
  return new Option('--url <url>', 'the hub').env('DISCOVERY_URL').default('http://localhost:7465');
}

/** `--key`, or the environment's `DISCOVERY_KEY`. */
export function keyOption(): Option {
  return new Option('--key <file>', 'the key file (PKCS#8 PEM)')
    .env('DISCOVERY_KEY')
    .default(DEFAULT_KEY_FILE);
}

/** Reads a whole number; its bounds are the hub's to check. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It has to be a whole number.');
  return Number(text);
}

/** Reads a decimal number of at least 0. */
export function decimalNumber(text: string): number {
  if (!/^\d{1,15}(\.\d+)?$/.test(text))
    throw new InvalidArgumentError('It has to be a number of at least 0.');
  return Number(text);
}

/** Collects an option that may be given several times, or with commas. */
function collect(text: string, earlier: string[] = []): string[] {
  return [...earlier, ...text.split(',').map((part) => part.trim())];
}

/** What the filter flags are parsed into. */
export interface FilterFlags {
  cpu?: number;
  memory?: number;
  storage?: number;
  country?: string[];
  platform?: string[];
  paymentsNetwork?: string[];
  maxUsd?: number;
  live?: boolean;
}

/** Adds the filters as flags. */
export function withFilterFlags(command: Command): Command {
  return command
    .option('--cpu <cores>', 'at least so many cores', wholeNumber)
    .option('--memory <gb>', 'at least so many GB of memory', wholeNumber)
    .option('--storage <gb>', 'at least so many GB of disk', wholeNumber)
    .option('--country <codes>', 'one of these countries, e.g. SE,NO', collect)
    .option('--platform <names>', 'one of these platforms, e.g. x86_64', collect)
    .option('--payments-network <names>', 'one of these payment networks', collect)
    .option(
      '--max-usd <amount>',
      'at most so many US dollars a month for the amounts asked for',
      decimalNumber,
    )
    .option('--live', 'leave out providers whose connection was lost');
}

/** The filter that flags ask for. */
export function filterOf(flags: FilterFlags): FilterInput {
  const { cpu, memory, storage, country, platform, paymentsNetwork, maxUsd, live } = flags;
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(storage === undefined ? {} : { storage }),
    ...(country === undefined ? {} : { country }),
    ...(platform === undefined ? {} : { platform }),
    ...(paymentsNetwork === undefined ? {} : { payments_network: paymentsNetwork }),
    ...(maxUsd === undefined ? {} : { max_usd_per_month: maxUsd }),
    ...(live === true ? { status: 'live' as const } : {}),
  };
}

/** The amounts that an estimate is for; null when none were asked for. */
export function amountsOf({
  cpu,
  memory,
  storage,
}: FilterFlags): { cpu: number; memory: number; storage: number } | null {
  if (cpu === undefined && memory === undefined && storage === undefined) return null;
  return { cpu: cpu ?? 1, memory: memory ?? 1, storage: storage ?? 1 };
}
