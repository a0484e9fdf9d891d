import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { visibilityShape } from '../../protocol/answers.js';

/** What a hub tells a provider is told to the session alone, so `advertise` leaves it beside the key for `status`. */
const noteSchema = z.object({
  /** As it was given, perhaps several. */
  url: z.string(),
  /** The one that holds the session. */
  hub: z.string(),
  provider_id: z.string(),
  /** Unix milliseconds. */
  at: z.number(),
  visibility: z.object(visibilityShape),
});
type Note = z.infer<typeof noteSchema>;

/** What is older than this is not worth telling, in milliseconds. */
const MAX_AGE_MS = 2 * 60_000;

function pathBeside(keyFile: string): string {
  return `${keyFile}.visibility.json`;
}

/** Leaves a note beside the key, or nothing where that cannot be written. */
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

/** Takes the note away. */
export function clearVisibility(keyFile: string): void {
  rmSync(pathBeside(keyFile), { force: true });
}

/**
 * What a running `advertise` with this key was told last.
 * @param now Unix milliseconds.
 * @returns Null where there is none, or it is of another provider or hub, or old.
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
