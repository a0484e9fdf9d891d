// How things are written: as the reader's browser writes numbers and times, in its time zone.

/** Makes a format when it is first used: each takes the browser some milliseconds, and a page needs few of them to begin. */
function later<Format>(make: () => Format): () => Format {
  let made: Format | undefined;
  return () => (made ??= make());
}

const decimals = (most: number, least = 0): Intl.NumberFormat =>
  new Intl.NumberFormat(undefined, { minimumFractionDigits: least, maximumFractionDigits: most });

const COUNT = later(() => decimals(0));
const NUMBER = later(() => decimals(4));
const MONEY = later(() => new Intl.NumberFormat(undefined, { style: 'currency', currency: 'USD' }));
const WHOLE_MONEY = later(
  () =>
    new Intl.NumberFormat(undefined, {
      style: 'currency',
      currency: 'USD',
      maximumFractionDigits: 0,
    }),
);
const RATE = later(() => decimals(1));
const MILLISECONDS = later(
  () =>
    new Intl.NumberFormat(undefined, {
      style: 'unit',
      unit: 'millisecond',
      maximumSignificantDigits: 3,
    }),
);
const BYTES = later(
  () =>
    new Intl.NumberFormat(undefined, {
      style: 'unit',
      unit: 'byte',
      notation: 'compact',
      unitDisplay: 'narrow',
    }),
);
const GLM = later(() => decimals(2, 2));
const UNIT_MONEY = later(
  () =>
    new Intl.NumberFormat(undefined, {
      style: 'currency',
      currency: 'USD',
      maximumFractionDigits: 6,
    }),
);
const UNIT_GLM = later(() => decimals(6, 2));
const DATE_TIME = later(
  () => new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' }),
);
const TIME = later(() => new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' }));
const AGO = later(() => new Intl.RelativeTimeFormat(undefined, { numeric: 'always', style: 'long' }));
const COUNTRIES = later(() => new Intl.DisplayNames(undefined, { type: 'region' }));
const COLLATOR = later(() => new Intl.Collator(undefined, { numeric: true }));

const UNITS: readonly [Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** How much is there, and how much more there is: in the reader's own language where that matters. */
export const formats = {
  count: (value: number): string => COUNT().format(value),
  number: (value: number): string => NUMBER().format(value),
  usd: (value: number): string => MONEY().format(value),
  /** For the ends of scales. */
  wholeUsd: (value: number): string => WHOLE_MONEY().format(value),
  glm: (value: number): string => `${GLM().format(value)} GLM`,
  /** The price of one unit, which may be a small part of a cent. */
  unitUsd: (value: number): string => UNIT_MONEY().format(value),
  unitGlm: (value: number): string => `${UNIT_GLM().format(value)} GLM`,
  cores: (value: number): string => `${COUNT().format(value)} ${value === 1 ? 'core' : 'cores'}`,
  gigabytes: (value: number): string => `${COUNT().format(value)} GB`,
  /** How often in a second. */
  rate: (value: number): string => RATE().format(value),
  milliseconds: (value: number): string => MILLISECONDS().format(value),
  bytes: (value: number): string => BYTES().format(value),
  /** Of a share from 0 to 1. */
  percent: (share: number): string =>
    new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 0 }).format(share),
  dateTime: (unixMs: number): string => DATE_TIME().format(unixMs),
  time: (unixMs: number): string => TIME().format(unixMs),
  /** A time that has passed, e.g. `2 minutes ago`; what lies ahead, as clocks may differ a little, is now. */
  ago(unixMs: number, now: number): string {
    const seconds = Math.max(0, Math.floor((now - unixMs) / 1000));
    const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ['second', 1];
    return AGO().format(-Math.floor(seconds / size), unit);
  },
  /** The name of a country in the reader's language. */
  country: (code: string): string => {
    try {
      return COUNTRIES().of(code) ?? code;
    } catch {
      return code;
    }
  },
  compare: (a: string, b: string): number => COLLATOR().compare(a, b),
  /** A provider id that fits where it is one of many. */
  shortId: (id: string): string => (id.length <= 20 ? id : `${id.slice(0, 10)}…${id.slice(-6)}`),
};
