const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/**
 * A bar of up to `width` columns for a share from 0 to 1, in steps of an eighth of a column. Any share above 0 is visible.
 */
export function bar(share: number, width: number): string {
  const eighths = share > 0 ? Math.max(1, Math.round(Math.min(1, share) * width * 8)) : 0;
  return '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!;
}
