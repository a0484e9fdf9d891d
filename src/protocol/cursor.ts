/** A point in the hub's stream of changes: `seq` is a position in the log that `epoch` identifies. */
export interface Cursor {
  epoch: string;
  seq: number;
}

/** The form of a cursor; its number may still be too large. */
export const CURSOR_PATTERN = /^([0-9a-z]{1,32}):(0|[1-9][0-9]{0,15})$/;

/** Formats a cursor as clients see it: `"<epoch>:<seq>"`. */
export function formatCursor(epoch: string, seq: number): string {
  return `${epoch}:${String(seq)}`;
}

/** Parses `"<epoch>:<seq>"`; null for anything else. */
export function parseCursor(text: string): Cursor | null {
  const match = CURSOR_PATTERN.exec(text);
  if (!match) return null;
  const seq = Number(match[2]);
  return Number.isSafeInteger(seq) ? { epoch: match[1]!, seq } : null;
}
