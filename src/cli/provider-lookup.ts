import { type DiscoveryClient, DiscoveryError, type PublishedAdvertisement } from '../client/node.js';
import { formatPageCursor } from '../protocol/filters/list-query.js';

/** How many candidates to name if several fit. */
const MAX_NAMED = 5;
/** How many advertisements to search for a matching end. */
const MAX_LOOKED_THROUGH = 20_000;

/**
 * Finds a provider by its id, a prefix of it, or the shortened form that tables show: `eu-nor…t-0042`.
 * @returns Null if there is none.
 * @throws DiscoveryError `USAGE` if several fit.
 */
export async function findProvider(
  client: DiscoveryClient,
  text: string,
): Promise<PublishedAdvertisement | null> {
  if (!text.includes('…')) {
    const exact = await client.get(text);
    if (exact !== null) return exact;
  }
  const [begin = '', end = ''] = text.split('…');
  if (begin === '') return null;
  const found: PublishedAdvertisement[] = [];
  let lookedThrough = 0;
  // Lists are sorted by id, so those with the prefix are adjacent.
  const after = formatPageCursor({ sort: 'id', key: null, providerId: begin });
  for await (const { advertisements } of client.pages(
    {},
    { after, pageSize: end === '' ? MAX_NAMED + 1 : 1000 },
  )) {
    const alike = advertisements.filter(({ provider_id }) => provider_id.startsWith(begin));
    found.push(...alike.filter(({ provider_id }) => provider_id.endsWith(end)));
    lookedThrough += advertisements.length;
    const isOver = alike.length < advertisements.length || lookedThrough >= MAX_LOOKED_THROUGH;
    if (isOver || found.length > MAX_NAMED) break;
  }
  if (found.length <= 1) return found[0] ?? null;
  const named = found.slice(0, MAX_NAMED).map(({ provider_id }) => provider_id);
  const more = found.length > MAX_NAMED ? ', …' : '';
  throw new DiscoveryError(
    'USAGE',
    `several providers have an id like ${text}, give more of it: ${named.join(', ')}${more}`,
  );
}
