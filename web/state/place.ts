import { signal } from '@preact/signals';
import { formatPlace, type PageName, type Place, readPlace } from '../model/place.js';

/** Where in the dashboard the address leads. */
export const place = signal<Place>(readPlace(location.hash));

addEventListener('hashchange', () => {
  place.value = readPlace(location.hash);
});

/** Shows something else on the same page, without a step in the history: the address follows what is shown. */
export function showQuery(query: string): void {
  if (place.peek().query === query) return;
  place.value = { ...place.peek(), query };
  history.replaceState(null, '', formatPlace(place.peek()));
}

/** The address of a page. */
export function linkTo(page: PageName, query = '', providerId: string | null = null): string {
  return formatPlace({ page, providerId, query });
}
