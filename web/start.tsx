import { render } from 'preact';
import { Dashboard } from './dashboard.js';
import { readView } from './model/view.js';
import { prepareFeed } from './pages/providers/feed.js';
import { keepPulse, takeOver } from './state/hub.js';
import { whenIdle } from './state/moments.js';
import { place } from './state/place.js';

/** How long the page waits for its first rows, in milliseconds: rendering it twice takes longer. */
const PATIENCE_MS = 100;

/**
 * Shows the dashboard.
 * @param sent Requests that were sent already for the providers page, by URL; none for other pages.
 */
export async function start(sent: ReadonlyMap<string, Promise<Response>>): Promise<void> {
  takeOver(sent);
  if (sent.size > 0) await prepareFeed(readView(place.value.query).view, PATIENCE_MS);
  render(<Dashboard />, document.body);
  whenIdle(keepPulse);
}
