import type { PublishedAdvertisement } from '../../src/client/index.js';

/** A character that a reader sees; names may consist of blanks, joiners and fillers alone. */
const VISIBLE = /[^\s\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** The name a provider goes by; null where it has none that can be seen. */
export function nameOf({ name }: Pick<PublishedAdvertisement, 'name'>): string | null {
  return name !== null && VISIBLE.test(name) ? name : null;
}
