import { type Amounts, monthlyEstimate, type PublishedAdvertisement } from '../../src/client/index.js';
import { formats } from './formats.js';
import { nameOf } from './name.js';

/** The value of a cell, used for sorting; null if the advertisement has none. */
export type Value = string | number | boolean | null;

/** A column of the table of providers. */
export interface Column {
  readonly name: string;
  readonly title: string;
  /** Numbers are right-aligned, so that digits line up. */
  readonly isNumber: boolean;
  /** Its share of the width, and its minimum width in pixels. */
  readonly width: { readonly share: number; readonly least: number };
  readonly value: (advertisement: PublishedAdvertisement, amounts: Amounts) => Value;
  /** Formats the value for display. */
  readonly text: (value: Value) => string;
}

const plain = (value: Value): string => (value === null ? '–' : String(value));
const yesNo = (value: Value): string => (value === true ? 'yes' : value === false ? 'no' : '–');
const ofNumber =
  (format: (value: number) => string) =>
  (value: Value): string =>
    typeof value === 'number' ? format(value) : plain(value);

type Given = Pick<Column, 'name' | 'title' | 'value'> & Partial<Pick<Column, 'text' | 'width' | 'isNumber'>>;

const column = (given: Given): Column => ({
  isNumber: false,
  width: { share: 1, least: 106 },
  text: plain,
  ...given,
});
/** @param least Minimum width in pixels: enough for the title and the longest usual number. */
const number = (
  name: string,
  title: string,
  value: Column['value'],
  format = formats.count,
  least = 92,
): Column =>
  column({ name, title, value, isNumber: true, text: ofNumber(format), width: { share: 0.7, least } });
/** Pixels for a title such as "USD/month", and for a small number. */
const WIDE = 120;
const NARROW = 76;
const flag = (name: string, title: string, value: Column['value']): Column =>
  column({ name, title, value, text: yesNo, width: { share: 0.6, least: 84 } });
const time = (name: string, title: string, member: 'created_at' | 'updated_at'): Column =>
  column({
    name,
    title,
    value: (advertisement) => Date.parse(advertisement[member]),
    text: ofNumber(formats.dateTime),
    width: { share: 1.2, least: 150 },
  });

/** All columns except those of attributes. */
export const COLUMNS: readonly Column[] = [
  column({
    name: 'provider',
    title: 'Provider',
    value: (advertisement) => nameOf(advertisement) ?? advertisement.provider_id,
    width: { share: 2, least: 130 },
  }),
  column({
    name: 'status',
    title: 'Status',
    value: ({ status }) => status,
    width: { share: 0.7, least: 104 },
  }),
  number(
    'price',
    'USD/month',
    ({ pricing }, amounts) => monthlyEstimate(pricing, amounts, 'usd'),
    formats.usd,
    WIDE,
  ),
  number(
    'price_glm',
    'GLM/month',
    ({ pricing }, amounts) => monthlyEstimate(pricing, amounts, 'glm'),
    formats.glm,
    WIDE,
  ),
  column({
    name: 'country',
    title: 'Country',
    value: ({ country }) => country,
    text: (value) => formats.country(String(value)),
    width: { share: 1.1, least: 140 },
  }),
  number('cpu', 'Cores', ({ resources }) => resources.cpu, formats.count, NARROW),
  number('memory', 'Memory', ({ resources }) => resources.memory, formats.gigabytes),
  number('storage', 'Disk', ({ resources }) => resources.storage, formats.gigabytes),
  number('gpu', 'GPUs', ({ resources }) => resources['gpu'] ?? 0, formats.count, NARROW),
  column({
    name: 'platform',
    title: 'Platform',
    value: ({ platform }) => platform,
    width: { share: 0.8, least: 106 },
  }),
  column({
    name: 'network',
    title: 'Payments',
    value: (advertisement) => advertisement.payments_network,
  }),
  column({
    name: 'address',
    title: 'Address',
    value: (advertisement) => advertisement.ip_address,
    width: { share: 1.2, least: 130 },
  }),
  flag('verified', 'Signed', ({ verified }) => verified),
  flag('confirmed', 'Confirmed', ({ ip_confirmed: confirmed }) => confirmed),
  time('since', 'First seen', 'created_at'),
  time('updated', 'Last change', 'updated_at'),
  column({
    name: 'id',
    title: 'Provider id',
    value: ({ provider_id: id }) => id,
    width: { share: 2, least: 150 },
  }),
];

export const DEFAULT_COLUMNS: readonly string[] = [
  'provider',
  'status',
  'price',
  'country',
  'cpu',
  'memory',
  'storage',
  'gpu',
  'platform',
];

const ATTRIBUTE = /^attr\.([a-z][a-z0-9_]{0,31})$/;

/** Finds a column by name, including attribute columns (`attr.<name>`); null if there is none. */
export function columnNamed(name: string): Column | null {
  const attribute = ATTRIBUTE.exec(name)?.[1];
  if (attribute === undefined) return COLUMNS.find((one) => one.name === name) ?? null;
  return column({
    name,
    title: attribute.replaceAll('_', ' '),
    // An own one: every object has a `constructor`.
    value: ({ attributes }) =>
      attributes && Object.hasOwn(attributes, attribute) ? (attributes[attribute] ?? null) : null,
    text: (value) => (typeof value === 'boolean' ? yesNo(value) : ofNumber(formats.number)(value)),
    width: { share: 1.2, least: 110 },
  });
}

/** Compares by a column: numbers before strings, missing values last in both directions, ties by provider id. */
export function orderBy(
  { value }: Column,
  descending: boolean,
  amounts: Amounts,
): (a: PublishedAdvertisement, b: PublishedAdvertisement) => number {
  const direction = descending ? -1 : 1;
  return (a, b) => {
    const [x, y] = [value(a, amounts), value(b, amounts)];
    if (x === null || y === null) {
      if (x !== y) return x === null ? 1 : -1;
    } else if (typeof x !== typeof y) {
      return typeof x === 'number' ? -1 : 1;
    } else if (x !== y) {
      const order = typeof x === 'string' ? formats.compare(x, y as string) : x < y ? -1 : 1;
      if (order !== 0) return order * direction;
    }
    return a.provider_id < b.provider_id ? -1 : a.provider_id > b.provider_id ? 1 : 0;
  };
}
