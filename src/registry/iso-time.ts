const DAY_MS = 86_400_000;
/** Bytes of `2026-01-31T23:59:59.999Z`. */
export const ISO_BYTES = 24;

let cachedDay = Number.NaN;
let cachedDate = Buffer.alloc(10);

/**
 * Writes Unix milliseconds as ISO 8601 UTC with milliseconds: what `Date.toISOString` gives, without making a
 * string, because list answers write two of them for each advertisement. The date part is kept from call to call.
 */
export function writeIsoTime(target: Uint8Array, offset: number, wallMs: number): void {
  const whole = Math.floor(wallMs);
  const day = Math.floor(whole / DAY_MS);
  if (day !== cachedDay) {
    cachedDate = Buffer.from(new Date(day * DAY_MS).toISOString().slice(0, 10), 'latin1');
    cachedDay = day;
  }
  for (let i = 0; i < 10; i += 1) target[offset + i] = cachedDate[i]!;
  const ms = whole - day * DAY_MS;
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  target[offset + 10] = 0x54;
  writeTwo(target, offset + 11, hours);
  target[offset + 13] = 0x3a;
  writeTwo(target, offset + 14, minutes - hours * 60);
  target[offset + 16] = 0x3a;
  writeTwo(target, offset + 17, seconds - minutes * 60);
  target[offset + 19] = 0x2e;
  const fraction = ms - seconds * 1000;
  const hundreds = Math.floor(fraction / 100);
  target[offset + 20] = 48 + hundreds;
  writeTwo(target, offset + 21, fraction - hundreds * 100);
  target[offset + 23] = 0x5a;
}

function writeTwo(target: Uint8Array, offset: number, value: number): void {
  const tens = Math.floor(value / 10);
  target[offset] = 48 + tens;
  target[offset + 1] = 48 + (value - tens * 10);
}
