import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { AdvertisementInput } from '../../client/node.js';
import type { AttributeValue, Attributes } from '../../protocol/attributes.js';
import { readings } from '../../protocol/filters/fact-parameters.js';
import type { Hardware } from './hardware.js';
import { measureMachine } from './machine.js';
import { decimalNumber, wholeNumber } from '../options.js';

/** Parsed flags that describe an offer. */
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
  /** Attributes by name; null removes one that the file or detection would set. */
  attr?: Record<string, AttributeValue | null>;
  detect: boolean;
}

/** Collects repeated flags such as `gpu=2`. */
function collectResource(text: string, earlier: Record<string, number> = {}): Record<string, number> {
  const [name, amount, ...rest] = text.split('=');
  if (name === undefined || amount === undefined || rest.length > 0) {
    throw new InvalidArgumentError('It has to be name=amount, e.g. gpu=2.');
  }
  return { ...earlier, [name]: wholeNumber(amount) };
}

/** Collects repeated flags: `disk=nvme`, `bandwidth_mbps=1000`, `rack="7"` (quoted, so a string), or `cpu_model=` to remove one. */
function collectFact(
  text: string,
  earlier: Record<string, AttributeValue | null> = {},
): Record<string, AttributeValue | null> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('It has to be name=value, e.g. disk=nvme.');
  const [, quoted] = /^"(.*)"$/s.exec(value) ?? [];
  // Numbers and booleans keep their type.
  return { ...earlier, [name]: quoted ?? (value === '' ? null : readings(value).at(-1)!) };
}

/** Adds the flags that describe an offer. */
export function withAdvertisementFlags(command: Command): Command {
  return command
    .option('--file <json>', 'read the advertisement from this JSON file; flags override its members')
    .option('--country <code>', 'where the machine is, e.g. SE')
    .option(
      '--ip <address>',
      'public address of the machine; by default, its first address that looks public',
    )
    .option('--cpu <cores>', 'cores to offer; by default, all of this machine', wholeNumber)
    .option('--memory <gb>', 'GB of memory to offer; by default, all of this machine', wholeNumber)
    .option('--storage <gb>', 'GB of disk to offer; by default, what is free here', wholeNumber)
    .option('--folder <path>', 'the file system whose free space is offered', '.')
    .option('--resource <name=amount>', 'another resource, e.g. gpu=2; repeatable', collectResource)
    .option('--attr <name=value>', 'an attribute, e.g. disk=nvme; repeatable; name= removes it', collectFact)
    .option('--no-detect', 'do not detect CPU and GPU models')
    .option('--platform <name>', 'platform, e.g. x86_64; by default, that of this machine')
    .option('--name <text>', 'what people see')
    .option('--payments-network <name>', 'network on which payments are settled')
    .option('--usd-per-core <amount>', 'US dollars per core and month', decimalNumber)
    .option('--usd-per-gb-ram <amount>', 'US dollars per GB of memory and month', decimalNumber)
    .option('--usd-per-gb-storage <amount>', 'US dollars per GB of disk and month', decimalNumber);
}

/**
 * Builds an advertisement from flags, file and this machine; where they disagree, flags win over the file, and the file over the
 * machine. The result has not been validated yet.
 * @param hardware The detected hardware.
 * @throws Error if the file cannot be read, or neither flags nor file give a country.
 */
export function buildAdvertisement(flags: AdvertisementFlags, hardware: Hardware): AdvertisementInput {
  const file = flags.file === undefined ? {} : readFile(flags.file);
  const measured = measureMachine(flags.folder);
  const country = flags.country ?? file.country;
  if (country === undefined)
    throw new Error('Name the country of the machine with a two-letter code, e.g. --country SE.');
  const address = flags.ip ?? file.ip_address ?? measured.ipAddress;
  if (address === null)
    throw new Error(
      'This machine only has a loopback address; give the one that requestors reach with --ip.',
    );
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
