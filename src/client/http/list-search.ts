import type { FilterInput } from '../../protocol/filters/filter.js';
import { searchOf } from '../search.js';

/** The parameters of a list request besides its filter. */
export interface ListPart {
  sort?: string | undefined;
  limit?: number | undefined;
  after?: string | null | undefined;
}

/** The query string of a list request, like `searchOf`. */
export function listSearch(filter: FilterInput, { sort, limit, after }: ListPart): string {
  return searchOf(filter, {
    sort,
    limit: limit === undefined ? undefined : String(limit),
    after: after ?? undefined,
  });
}

/** The `after` of the next page in a `Link` header; null if there is none. */
export function nextAfter(link: string | null): string | null {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1];
  if (target === undefined) return null;
  // Only the cursor is used: a hub behind a proxy does not know its public URL.
  return new URLSearchParams(target.slice(target.indexOf('?') + 1)).get('after');
}
