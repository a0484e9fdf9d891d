import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { AdvertisementInput } from '../../client/node.js';
import type { AttributeValue, Attributes } from '../../protocol/attributes.js';
import { readings } from '../../protocol/filters/fact-parameters.js';
import type { Hardware } from './hardware.js';
import { measureMachine } from './machine.js';
import { decimalNumber, wholeNumber } from '../options.js';

/** What the flags that describe an offer are parsed into. */
export interface AdvertisementFlags {
  file?: string;
  ip?: string;
  country?: string;
  cpu?: number;
  memory?: number;
  storage?: number;
  resource?: Record<string, number>;
  platform?: string;
  name?: string;
  paymentsNetwork?: string;
  usdPerCore?: number;
  usdPerGbRam?: number;
  usdPerGbStorage?: number;
  folder: string;
  /** What to say about attributes; null takes one back that the file or the machine says. */
  attr?: Record<string, AttributeValue | null>;
  detect: boolean;
}

/** Reads `gpu=2`, several times. */
function collectResource(text: string, earlier: Record<string, number> = {}): Record<string, number> {
  const [name, amount, ...rest] = text.split('=');
  if (name === undefined || amount === undefined || rest.length > 0) {
    throw new InvalidArgumentError('It has to be name=amount, e.g. gpu=2.');
  }
  return { ...earlier, [name]: wholeNumber(amount) };
}

/** Reads `disk=nvme`, `bandwidth_mbps=1000`, `rack="7"` (a text in spite of its looks), or `cpu_model=` for none, several times. */
function collectFact(
  text: string,
  earlier: Record<string, AttributeValue | null> = {},
): Record<string, AttributeValue | null> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('It has to be name=value, e.g. disk=nvme.');
  const [, quoted] = /^"(.*)"$/s.exec(value) ?? [];
  // A number or a boolean is read as such.
  return { ...earlier, [name]: quoted ?? (value === '' ? null : readings(value).at(-1)!) };
}

/** Adds the flags that describe an offer. */
export function withAdvertisementFlags(command: Command): Command {
  return command
    .option('--file <json>', 'take the advertisement from this JSON file; flags override its members')
    .option('--country <code>', 'where the machine is, e.g. SE')
    .option('--ip <address>', 'where the machine is reached; by default its first public-looking address')
    .option('--cpu <cores>', 'cores; by default all of this machine', wholeNumber)
    .option('--memory <gb>', 'GB of memory; by default all of this machine', wholeNumber)
    .option('--storage <gb>', 'GB of disk; by default what is free here', wholeNumber)
    .option('--folder <path>', 'the file system whose free space is offered', '.')
    .option('--resource <name=amount>', 'a further resource, e.g. gpu=2; may be repeated', collectResource)
    .option(
      '--attr <name=value>',
      'a further fact, e.g. disk=nvme; may be repeated; name= takes it back',
      collectFact,
    )
    .option('--no-detect', 'say nothing about the models of processor and GPUs unless told')
    .option('--platform <name>', 'by default that of this machine')
    .option('--name <text>', 'what people see')
    .option('--payments-network <name>', 'where payments are settled')
    .option('--usd-per-core <amount>', 'US dollars a month for a core', decimalNumber)
    .option('--usd-per-gb-ram <amount>', 'US dollars a month for a GB of memory', decimalNumber)
    .option('--usd-per-gb-storage <amount>', 'US dollars a month for a GB of disk', decimalNumber);
}

/**
 * Puts an advertisement together from the file, the flags and this machine, in the order of who is believed: flags,
 * file, machine. What comes out has not been checked yet.
 * @param hardware What was found in the machine.
 * @throws Error when the file cannot be read, or nobody says where the machine is.
 */
export function buildAdvertisement(flags: AdvertisementFlags, hardware: Hardware): AdvertisementInput {
  const file = flags.file === undefined ? {} : readFile(flags.file);
  const measured = measureMachine(flags.folder);
  const country = flags.country ?? file.country;
  if (country === undefined)
    throw new Error('Say where the machine is: --country with a two-letter code, e.g. --country SE.');
  const address = flags.ip ?? file.ip_address ?? measured.ipAddress;
  if (address === null)
    throw new Error('This machine has no address but its loopback one; say where it is reached with --ip.');
  const prices = {
    ...file.pricing,
    ...(flags.usdPerCore === undefined ? {} : { usd_per_core_month: flags.usdPerCore }),
    ...(flags.usdPerGbRam === undefined ? {} : { usd_per_gb_ram_month: flags.usdPerGbRam }),
    ...(flags.usdPerGbStorage === undefined ? {} : { usd_per_gb_storage_month: flags.usdPerGbStorage }),
  };
  const attributes = Object.entries({ ...hardware.attributes, ...file.attributes, ...flags.attr }).filter(
    ([, value]) => value !== null,
  );
  const name = flags.name ?? file.name;
  const network = flags.paymentsNetwork ?? file.payments_network;
  return {
    ...file,
    ip_address: address,
    country,
    platform: flags.platform ?? file.platform ?? measured.platform,
    resources: {
      ...(hardware.gpus === 0 ? {} : { gpu: hardware.gpus }),
      ...file.resources,
      ...flags.resource,
      cpu: flags.cpu ?? file.resources?.cpu ?? measured.cpu,
      memory: flags.memory ?? file.resources?.memory ?? measured.memory,
      storage: flags.storage ?? file.resources?.storage ?? measured.storage,
    },
    ...(attributes.length === 0 ? {} : { attributes: Object.fromEntries(attributes) as Attributes }),
    ...(Object.keys(prices).length === 0 ? {} : { pricing: prices }),
    ...(name == null ? {} : { name }),
    ...(network == null ? {} : { payments_network: network }),
  };
}

function readFile(path: string): Partial<AdvertisementInput> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path} cannot be used: ${(error as Error).message}`, { cause: error });
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new Error(`${path} cannot be used: it has to hold a JSON object, the advertisement.`);
  }
  return content;
}
