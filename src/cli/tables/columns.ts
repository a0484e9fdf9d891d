import type { Amounts, PublishedAdvertisement } from '../../client/node.js';
import { monthlyEstimate } from '../../client/node.js';

/** What cells depend on beside the advertisement. */
export interface CellContext {
  /** What estimates are for. */
  amounts: Amounts;
  /** Unix milliseconds that ages count from, by the hub's clock. */
  now: number;
}

/** What programs get: a CSV field is this as text, and empty for null. */
export type Value = string | number | boolean | null;

/** One column of a table or CSV file. */
export interface Column {
  /** What `--columns` and the first line of a CSV file call it. */
  readonly key: string;
  readonly title: string;
  /** The title where there is little room. */
  readonly shortTitle?: string;
  /** For `--help`. */
  readonly about: string;
  readonly right?: true;
  readonly value: (advertisement: PublishedAdvertisement, context: CellContext) => Value;
  /** How people see it, if not as the value. */
  readonly cell?: (advertisement: PublishedAdvertisement, context: CellContext) => string;
  /** What may be done where a terminal is too narrow: be cut down to so many columns, or left out, the lowest first. */
  readonly least?: number;
  readonly expendable?: number;
  /** Whether it is left out where nobody has it. */
  readonly optional?: true;
  /** Whether only a wide table has it, unless it is asked for. */
  readonly wide?: true;
}

/** All columns, in the order of a table. */
export const COLUMNS = [
  {
    key: 'id',
    title: 'PROVIDER',
    about: 'the provider id',
    value: ({ provider_id }) => provider_id,
  },
  {
    key: 'name',
    title: 'NAME',
    about: 'what the provider calls itself',
    value: ({ name }) => name,
    least: 6,
    expendable: 3,
    optional: true,
  },
  {
    key: 'address',
    title: 'ADDRESS',
    about: 'where it is reached',
    value: ({ ip_address }) => ip_address,
  },
  {
    key: 'country',
    title: 'COUNTRY',
    shortTitle: 'CC',
    about: 'where it is',
    value: ({ country }) => country,
  },
  { key: 'cpu', title: 'CPU', about: 'cores', right: true, value: ({ resources }) => resources.cpu },
  {
    key: 'memory',
    title: 'GB RAM',
    shortTitle: 'RAM',
    about: 'GB of memory',
    right: true,
    value: ({ resources }) => resources.memory,
  },
  {
    key: 'storage',
    title: 'GB DISK',
    shortTitle: 'DISK',
    about: 'GB of disk',
    right: true,
    value: ({ resources }) => resources.storage,
  },
  {
    key: 'resources',
    title: 'ALSO',
    about: 'further resources, e.g. gpu=2',
    value: ({ resources: { cpu: _cpu, memory: _memory, storage: _storage, ...further } }) =>
      Object.entries(further)
        .map(([name, amount]) => `${name}=${String(amount)}`)
        .join(' '),
    least: 6,
    expendable: 2,
    optional: true,
  },
  {
    key: 'platform',
    title: 'PLATFORM',
    about: 'the kind of processor',
    value: ({ platform }) => platform,
    expendable: 1,
    optional: true,
  },
  {
    key: 'network',
    title: 'NETWORK',
    about: 'where payments are settled',
    value: ({ payments_network }) => payments_network,
    expendable: 0,
    optional: true,
  },
  {
    key: 'usd',
    title: 'USD/MONTH',
    shortTitle: 'USD',
    about: 'what the amounts cost a month, in US dollars',
    right: true,
    value: ({ pricing }, { amounts }) => monthlyEstimate(pricing, amounts, 'usd'),
    cell: ({ pricing }, { amounts }) => formatPrice(monthlyEstimate(pricing, amounts, 'usd')),
  },
  {
    key: 'glm',
    title: 'GLM/MONTH',
    shortTitle: 'GLM',
    about: 'the same in GLM',
    right: true,
    value: ({ pricing }, { amounts }) => monthlyEstimate(pricing, amounts, 'glm'),
    cell: ({ pricing }, { amounts }) => formatPrice(monthlyEstimate(pricing, amounts, 'glm')),
    wide: true,
  },
  {
    key: 'status',
    title: 'STATUS',
    about: 'live, or suspect while its connection is lost',
    value: ({ status }) => status,
    expendable: 5,
  },
  {
    key: 'verified',
    title: 'SIGNED',
    about: 'whether the provider signed it',
    value: ({ verified }) => verified,
    cell: ({ verified }) => (verified ? 'yes' : 'no'),
    wide: true,
  },
  {
    key: 'seen',
    title: 'SEEN',
    about: 'how long ago the hub heard of it; in CSV when, as updated_at',
    right: true,
    value: ({ updated_at }) => updated_at,
    cell: ({ updated_at }, { now }) => formatAge(now - Date.parse(updated_at)),
    expendable: 4,
  },
  {
    key: 'expires',
    title: 'EXPIRES',
    about: 'in how much time it goes unless it is heard of again; in CSV when',
    right: true,
    value: ({ expires_at }) => expires_at,
    cell: ({ expires_at }, { now }) => formatAge(Date.parse(expires_at) - now),
    wide: true,
  },
  {
    key: 'created',
    title: 'SINCE',
    about: 'for how long it has been advertised; in CSV since when',
    right: true,
    value: ({ created_at }) => created_at,
    cell: ({ created_at }, { now }) => formatAge(now - Date.parse(created_at)),
    wide: true,
  },
] as const satisfies readonly Column[];

export type ColumnKey = (typeof COLUMNS)[number]['key'];

/** The columns in the order of their keys. */
export function columnsOf(keys: readonly ColumnKey[]): Column[] {
  return keys.map((key) => COLUMNS.find((column) => column.key === key)!);
}

/** The columns of a table where nobody asked for others; a wide one has them all. */
export function usualColumns(wide: boolean, also: readonly ColumnKey[] = []): Column[] {
  return COLUMNS.filter(
    (column: Column) => wide || column.wide !== true || also.includes(column.key as ColumnKey),
  );
}

/** An amount of money; empty for null. Small prices keep two digits that say something. */
export function formatPrice(price: number | null): string {
  if (price === null) return '';
  if (price >= 1e9) return price.toExponential(2);
  return price > 0 && price < 0.1 ? price.toPrecision(2) : price.toFixed(2);
}

/** A time span in the largest unit that says enough. */
export function formatAge(ms: number): string {
  if (Number.isNaN(ms)) return '';
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.round(hours / 24)}d`;
}
