import type { AdvertisementRow } from '../../src/registry/mirror/messages.js';
import type { AdvertisementRecord } from '../../src/registry/store/records.js';
import { randomNumbers } from './random.js';

/** A provider, with everything that its advertisement contains. */
export interface Provider {
  /** Its key id; only signing providers have a real key. */
  id: string;
  ipAddress: string;
  country: string;
  cpu: number;
  memory: number;
  storage: number;
  platform: string;
  pricing: Record<string, number> | null;
  name: string | null;
  paymentsNetwork: string | null;
}

/** The first ones are more frequent. */
export const COUNTRIES = (
  'DE US FR NL FI SE GB PL CA SG JP AU IT ES CH NO DK BE AT CZ IE PT RO UA BR IN KR HK TW ZA ' +
  'LT LV EE BG GR HU SK SI HR LU IS TR IL AE MX CL AR CO NZ MY'
).split(' ');
const CPU = [1, 2, 2, 4, 4, 4, 8, 8, 8, 16, 16, 32, 32, 64, 96, 128];
const MEMORY_PER_CPU = [1, 2, 2, 4, 4, 4, 8];
const STORAGE = [20, 40, 50, 80, 100, 100, 200, 250, 500, 500, 1000, 2000, 4000, 8000];
/** Scratch space for the bytes of an id. */
const ID = Buffer.alloc(32);
const NETWORKS = ['polygon', 'mainnet', 'holesky', null];

/** The provider with this number: always the same. */
export function providerAt(index: number): Provider {
  const random = randomNumbers(Math.imul(index + 1, 0x9e3779b1));
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const cents = (from: number, to: number): number => Math.round((from + random() * (to - from)) * 100) / 100;
  for (let at = 0; at < ID.length; at += 4) ID.writeUInt32LE(Math.floor(random() * 4_294_967_296), at);
  const id = ID.toString('hex');
  const cpu = pick(CPU);
  const memory = cpu * pick(MEMORY_PER_CPU);
  const octet = (): string => String(1 + Math.floor(random() * 254));
  const withGlm = random() < 0.5;
  const usd = { usd_per_core_month: cents(1, 9), usd_per_gb_ram_month: cents(0.3, 3) };
  const prices = { ...usd, usd_per_gb_storage_month: cents(0.01, 0.2) };
  const glm = { glm_per_core_month: cents(4, 40), glm_per_gb_ram_month: cents(1, 12) };
  return {
    id,
    ipAddress: `203.${octet()}.${octet()}.${octet()}`,
    country: COUNTRIES[Math.floor(random() ** 2 * COUNTRIES.length)]!,
    cpu,
    memory,
    storage: pick(STORAGE),
    platform: random() < 0.86 ? 'x86_64' : 'arm64',
    pricing:
      random() < 0.1
        ? null
        : withGlm
          ? { ...prices, ...glm, glm_per_gb_storage_month: cents(0.05, 0.8) }
          : prices,
    name: random() < 0.7 ? `provider-${String(index)}` : null,
    paymentsNetwork: pick(NETWORKS),
  };
}

/** The signed JSON text. Null members are omitted, as providers do. */
export function payloadOf(provider: Provider, name = provider.name): string {
  const { ipAddress, country, cpu, memory, storage, platform, pricing, paymentsNetwork } = provider;
  return JSON.stringify({
    ip_address: ipAddress,
    country,
    resources: { cpu, memory, storage },
    platform,
    pricing: pricing ?? undefined,
    name: name ?? undefined,
    payments_network: paymentsNetwork ?? undefined,
  });
}

/** Its row, as if signed at `updatedAt` (Unix milliseconds). */
export function recordOf(provider: Provider, updatedAt: number): AdvertisementRecord {
  const { cpu, memory, storage } = provider;
  return {
    providerId: provider.id,
    ipAddress: provider.ipAddress,
    country: provider.country,
    resources: { cpu, memory, storage },
    platform: provider.platform,
    pricing: provider.pricing,
    name: provider.name,
    paymentsNetwork: provider.paymentsNetwork,
    attributes: null,
    endpoint: null,
    ipConfirmed: false,
    createdAt: updatedAt,
    updatedAt,
    proof: {
      publicKey: provider.id,
      t: updatedAt,
      payload: Buffer.from(payloadOf(provider)),
      signature: unverifiedSignature(provider),
    },
    attached: false,
  };
}

/** A placeholder signature: a hub does not verify signatures from its file again. */
function unverifiedSignature({ id }: Provider): string {
  return id + id;
}

/** The same as written to the file, except for times as text. Built directly, because there are a million. */
export function rowOf(provider: Provider, updatedAt: number): AdvertisementRow {
  const { id, ipAddress, country, cpu, memory, storage, platform, pricing, name, paymentsNetwork } = provider;
  const resources = `{"cpu":${String(cpu)},"memory":${String(memory)},"storage":${String(storage)}}`;
  const prices = pricing === null ? null : JSON.stringify(pricing);
  const text = (member: string, value: string | null): string =>
    value === null ? '' : `,"${member}":"${value}"`;
  const payload =
    `{"ip_address":"${ipAddress}","country":"${country}","resources":${resources}${text('platform', platform)}` +
    `${prices === null ? '' : `,"pricing":${prices}`}${text('name', name)}` +
    `${text('payments_network', paymentsNetwork)}}`;
  return [
    id,
    ipAddress,
    country,
    platform,
    resources,
    prices,
    updatedAt,
    updatedAt,
    name,
    paymentsNetwork,
    id,
    updatedAt,
    payload,
    unverifiedSignature(provider),
    0,
    null,
    null,
    0,
  ];
}
