// Small, so that the first requests are on their way while everything else is still being loaded.
import './style/theme.css';
import './style/layout.css';
import './style/controls.css';
import './style/table.css';
import './style/pages.css';
import './style/trends.css';

/** What the providers page asks for first, without conditions. A test sees to it that it does not ask again. */
const FIRST_REQUESTS = ['api/v1/advertisements?sort=price&limit=60', 'api/v1/explain'];
const isProvidersPage = /^(?:#\/?(?:providers)?)?$/.test(location.hash);

const sent = new Map<string, Promise<Response>>();
for (const path of isProvidersPage ? FIRST_REQUESTS : []) {
  const { href } = new URL(path, location.href);
  const response = fetch(href);
  // Whoever takes it sees the failure.
  response.catch(() => undefined);
  sent.set(href, response);
}

const { start } = await import('./start.js');
await start(sent);
