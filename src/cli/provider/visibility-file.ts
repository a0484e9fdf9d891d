import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { visibilityShape } from '../../protocol/answers.js';

/** A hub reports visibility only to the session, so `advertise` saves it beside the key for `status`. */
const noteSchema = z.object({
  /** The URL as given, perhaps several. */
  url: z.string(),
  /** The hub that holds the session. */
  hub: z.string(),
  provider_id: z.string(),
  /** Unix milliseconds. */
  at: z.number(),
  visibility: z.object(visibilityShape),
});
type Note = z.infer<typeof noteSchema>;

/** Older notes are ignored, in milliseconds. */
const MAX_AGE_MS = 2 * 60_000;

function pathBeside(keyFile: string): string {
  return `${keyFile}.visibility.json`;
}

/** Saves a note beside the key; does nothing if it cannot be written. */
export function leaveVisibility(keyFile: string, note: Note): void {
  const path = pathBeside(keyFile);
  const draft = `${path}.${String(process.pid)}`;
  try {
    writeFileSync(draft, `${JSON.stringify(note)}\n`, { mode: 0o600 });
    renameSync(draft, path);
  } catch {
    rmSync(draft, { force: true });
  }
}

/** Deletes the note. */
export function clearVisibility(keyFile: string): void {
  rmSync(pathBeside(keyFile), { force: true });
}

/**
 * Reads the visibility last reported to a running `advertise` with this key.
 * @param now Unix milliseconds.
 * @returns Null if there is none, or it is outdated or about another provider or hub.
 */
export function readVisibility(
  keyFile: string,
  who: Pick<Note, 'url' | 'provider_id'>,
  now: number,
): Pick<Note, 'hub' | 'visibility'> | null {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(pathBeside(keyFile), 'utf8'));
  } catch {
    return null;
  }
  const { success, data: note } = noteSchema.safeParse(content);
  if (!success || note.url !== who.url || note.provider_id !== who.provider_id) return null;
  return Math.abs(now - note.at) <= MAX_AGE_MS ? { hub: note.hub, visibility: note.visibility } : null;
}
