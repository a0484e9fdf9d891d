/** Writes Unix milliseconds as `YYYY-MM-DD HH:MM:SS.ffffff` in UTC, the form of the first generation. */
export function formatTime(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}000`;
}

const PATTERN = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?$/;

/** Parses that form, with or without a fraction, as Unix milliseconds; null for anything else. */
export function parseTime(text: unknown): number | null {
  if (typeof text !== 'string' || !PATTERN.test(text)) return null;
  return Date.UTC(
    digit(text, 0) * 1000 + digit(text, 1) * 100 + pair(text, 2),
    pair(text, 5) - 1,
    pair(text, 8),
    pair(text, 11),
    pair(text, 14),
    pair(text, 17),
    digit(text, 20) * 100 + pair(text, 21),
  );
}

function pair(text: string, index: number): number {
  return digit(text, index) * 10 + digit(text, index + 1);
}

function digit(text: string, index: number): number {
  return index < text.length ? text.charCodeAt(index) - 48 : 0;
}
