import { render } from 'preact';
import { Dashboard } from './dashboard.js';
import { keepPulse, takeOver } from './state/hub.js';
import { whenIdle } from './state/moments.js';

/**
 * Shows the dashboard.
 * @param sent Requests that were sent already, by URL.
 */
export function start(sent: ReadonlyMap<string, Promise<Response>>): void {
  takeOver(sent);
  render(<Dashboard />, document.body);
  whenIdle(keepPulse);
}
