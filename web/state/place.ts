import { signal } from '@preact/signals';
import { formatPlace, type PageName, type Place, readPlace } from '../model/place.js';

/** The current place in the dashboard, read from the URL. */
export const place = signal<Place>(readPlace(location.hash));

addEventListener('hashchange', () => {
  place.value = readPlace(location.hash);
});

/** Changes the query of the current page and its URL, without a history entry. */
export function showQuery(query: string): void {
  if (place.peek().query === query) return;
  place.value = { ...place.peek(), query };
  history.replaceState(null, '', formatPlace(place.peek()));
}

/** The URL of a page. */
export function linkTo(page: PageName, query = '', providerId: string | null = null): string {
  return formatPlace({ page, providerId, query });
}
