/** The pages of the dashboard, in the order of its navigation. */
export const PAGES = ['providers', 'market', 'map', 'visible', 'hub'] as const;
export type PageName = (typeof PAGES)[number] | 'provider';

/** A place in the dashboard, encoded in the URL fragment. */
export interface Place {
  readonly page: PageName;
  /** The provider of a provider page; otherwise null. */
  readonly providerId: string | null;
  /** A query string without `?`: what the page shows. */
  readonly query: string;
}

const isPage = (name: string): name is (typeof PAGES)[number] => (PAGES as readonly string[]).includes(name);

/** Parses a URL fragment. Unknown pages lead to the first one. */
export function readPlace(fragment: string): Place {
  const [path = '', ...rest] = fragment.replace(/^#?\/?/, '').split('?');
  const query = rest.join('?');
  const [page = '', id] = path.split('/');
  if (page === 'provider' && id !== undefined) {
    const providerId = decoded(id);
    if (providerId !== null && providerId !== '') return { page, providerId, query };
  }
  return { page: isPage(page) ? page : 'providers', providerId: null, query };
}

/** The reverse of `readPlace`, with `#`. */
export function formatPlace({ page, providerId, query }: Place): string {
  const path = providerId === null ? page : `${page}/${encodeURIComponent(providerId)}`;
  return `#/${path}${query === '' ? '' : `?${query}`}`;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
