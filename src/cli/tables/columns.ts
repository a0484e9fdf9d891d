import type { Amounts, PublishedAdvertisement } from '../../client/node.js';
import { monthlyEstimate } from '../../client/node.js';

/** What cells depend on apart from the advertisement. */
export interface CellContext {
  /** The amounts that estimates are for. */
  amounts: Amounts;
  /** The present, for ages: Unix milliseconds on the hub's clock. */
  now: number;
}

/** A cell as programs get it: a CSV field, empty for null. */
export type Value = string | number | boolean | null;

/** One column of a table or CSV file. */
export interface Column {
  /** Its name in `--columns` and in the header of a CSV file. */
  readonly key: string;
  readonly title: string;
  /** The title in narrow tables. */
  readonly shortTitle?: string;
  /** For `--help`. */
  readonly about: string;
  readonly right?: true;
  readonly value: (advertisement: PublishedAdvertisement, context: CellContext) => Value;
  /** The cell as people see it, if it differs from the value. */
  readonly cell?: (advertisement: PublishedAdvertisement, context: CellContext) => string;
  /** How it may shrink on a narrow terminal: cut to so many columns, or dropped, lowest rank first. */
  readonly least?: number;
  readonly expendable?: number;
  /** Whether it is omitted if no provider has it. */
  readonly optional?: true;
  /** Whether only wide tables have it, unless requested. */
  readonly wide?: true;
}

/** All columns, in table order. */
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
    about: 'the name it chose',
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
    about: 'other resources, e.g. gpu=2',
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
    about: 'network on which payments are settled',
    value: ({ payments_network }) => payments_network,
    expendable: 0,
    optional: true,
  },
  {
    key: 'usd',
    title: 'USD/MONTH',
    shortTitle: 'USD',
    about: 'price per month for the amounts, in US dollars',
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
    about: 'live, or suspect while disconnected',
    value: ({ status }) => status,
    expendable: 5,
  },
  {
    key: 'verified',
    title: 'SIGNED',
    about: 'whether it has a proof of its signature',
    value: ({ verified }) => verified,
    cell: ({ verified }) => (verified ? 'yes' : 'no'),
    wide: true,
  },
  {
    key: 'seen',
    title: 'SEEN',
    about: 'time since its last heartbeat; in CSV, updated_at',
    right: true,
    value: ({ updated_at }) => updated_at,
    cell: ({ updated_at }, { now }) => formatAge(now - Date.parse(updated_at)),
    expendable: 4,
  },
  {
    key: 'expires',
    title: 'EXPIRES',
    about: 'time until it expires without a heartbeat; in CSV, expires_at',
    right: true,
    value: ({ expires_at }) => expires_at,
    cell: ({ expires_at }, { now }) => formatAge(Date.parse(expires_at) - now),
    wide: true,
  },
  {
    key: 'created',
    title: 'SINCE',
    about: 'time since its first advertisement; in CSV, created_at',
    right: true,
    value: ({ created_at }) => created_at,
    cell: ({ created_at }, { now }) => formatAge(now - Date.parse(created_at)),
    wide: true,
  },
] as const satisfies readonly Column[];

export type ColumnKey = (typeof COLUMNS)[number]['key'];

/** The columns with these keys, in their order. */
export function columnsOf(keys: readonly ColumnKey[]): Column[] {
  return keys.map((key) => COLUMNS.find((column) => column.key === key)!);
}

/** The default columns of a table; a wide one has all. */
export function usualColumns(wide: boolean, also: readonly ColumnKey[] = []): Column[] {
  return COLUMNS.filter(
    (column: Column) => wide || column.wide !== true || also.includes(column.key as ColumnKey),
  );
}

/** An amount of money; empty for null. Small prices keep two significant digits. */
export function formatPrice(price: number | null): string {
  if (price === null) return '';
  if (price >= 1e9) return price.toExponential(2);
  return price > 0 && price < 0.1 ? price.toPrecision(2) : price.toFixed(2);
}

/** A time span in its largest useful unit. */
export function formatAge(ms: number): string {
  if (Number.isNaN(ms)) return '';
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.round(hours / 24)}d`;
}
