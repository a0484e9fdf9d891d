import type { AdvertisementInput } from '../client/index.js';

/** A made-up machine: what does not change while the demonstration runs, and its price. */
export interface Machine {
  readonly advertisement: AdvertisementInput;
  /** US dollars a month for a core; the other prices follow from it. Null where it asks for GLM alone. */
  readonly usdPerCore: number | null;
}

/** From 0 up to, not including, 1. */
export type Random = () => number;

/** Where the machines are: so many parts of them in each country. */
const COUNTRIES: readonly [code: string, share: number][] = [
  ['US', 14],
  ['DE', 12],
  ['PL', 10],
  ['FR', 8],
  ['GB', 7],
  ['SE', 6],
  ['NL', 6],
  ['CA', 5],
  ['JP', 5],
  ['BR', 4],
  ['IN', 4],
  ['SG', 4],
  ['AU', 4],
  ['FI', 3],
  ['ES', 3],
  ['IT', 3],
  ['CZ', 3],
  ['KR', 2],
  ['ZA', 2],
  ['MX', 2],
  ['IL', 2],
  ['AE', 2],
  ['EG', 1],
  ['KE', 1],
  ['NG', 1],
  ['AR', 1],
  ['CL', 1],
  ['NZ', 1],
  ['IS', 1],
  ['VN', 1],
];

const NAMES = [
  'aurora',
  'basalt',
  'cedar',
  'delta',
  'ember',
  'fjord',
  'granite',
  'heron',
  'iris',
  'juniper',
  'krill',
  'lark',
];
/** Not every name is short, or written from left to right. */
const UNUSUAL_NAMES = [
  'خادم الصحراء',
  'שרת הגליל',
  'サーバー東京',
  'The very long name of a machine that somebody is rather proud of',
  'Česká farma č. 7',
];
const CPUS = ['AMD EPYC 7763', 'AMD EPYC 9654', 'Intel Xeon 8480+', 'Ampere Altra Q80', 'AMD Ryzen 9 7950X'];
const GPUS: readonly [model: string, gigabytes: number][] = [
  ['RTX 3090', 24],
  ['RTX 4090', 24],
  ['A100', 80],
  ['L40S', 48],
  ['H100', 80],
];
const NETWORKS = ['polygon', 'ethereum', 'holesky'];
const BANDWIDTHS = [100, 250, 500, 1000, 10_000];

const pick = <Item>(random: Random, items: readonly Item[]): Item =>
  items[Math.floor(random() * items.length)]!;
const cents = (value: number): number => Math.round(value * 100) / 100;

function pickCountry(random: Random): string {
  const total = COUNTRIES.reduce((sum, [, share]) => sum + share, 0);
  let left = random() * total;
  return COUNTRIES.find(([, share]) => (left -= share) < 0)![0];
}

/** The prices of a machine for what a core costs. */
export function pricesFor(usdPerCore: number | null): NonNullable<AdvertisementInput['pricing']> {
  const glm = { glm_per_core_month: 14, glm_per_gb_ram_month: 5, glm_per_gb_storage_month: 0.2 };
  if (usdPerCore === null) return glm;
  return {
    usd_per_core_month: usdPerCore,
    usd_per_gb_ram_month: cents(usdPerCore * 0.35),
    usd_per_gb_storage_month: cents(usdPerCore * 0.015 + 0.01),
    glm_per_core_month: cents(usdPerCore * 3.1),
    glm_per_gb_ram_month: cents(usdPerCore * 1.1),
    glm_per_gb_storage_month: cents(usdPerCore * 0.05 + 0.01),
  };
}

/** Makes up a machine; every one says that it is none. */
export function makeUpMachine(random: Random, number: number): Machine {
  const cpu = pick(random, [2, 4, 8, 16, 32, 64, 96]);
  const gpu = random() < 0.3 ? pick(random, GPUS) : null;
  const usdPerCore = random() < 0.06 ? null : cents(1.2 + random() ** 2 * 6 + (gpu === null ? 0 : 4));
  const cpuModel = pick(random, CPUS);
  return {
    usdPerCore,
    advertisement: {
      // Addresses that are set aside for examples: nobody has them.
      ip_address: `${pick(random, ['203.0.113', '198.51.100', '192.0.2'])}.${String(1 + (number % 254))}`,
      country: pickCountry(random),
      resources: {
        cpu,
        memory: cpu * pick(random, [2, 4, 8]),
        storage: pick(random, [40, 120, 500, 1000, 4000]),
        ...(gpu === null ? {} : { gpu: pick(random, [1, 1, 2, 4, 8]) }),
      },
      platform: cpuModel.startsWith('Ampere') ? 'arm64' : 'x86_64',
      ...(random() < 0.08
        ? {}
        : {
            name: random() < 0.06 ? pick(random, UNUSUAL_NAMES) : `${pick(random, NAMES)}-${String(number)}`,
          }),
      ...(random() < 0.8 ? { payments_network: pick(random, NETWORKS) } : {}),
      ...(random() < 0.95 ? { pricing: pricesFor(usdPerCore) } : {}),
      attributes: {
        demo: true,
        cpu_model: cpuModel,
        disk: pick(random, ['nvme', 'ssd', 'hdd']),
        bandwidth_mbps: pick(random, BANDWIDTHS),
        ...(gpu === null ? {} : { gpu_model: gpu[0], gpu_memory_gb: gpu[1] }),
      },
    },
  };
}
