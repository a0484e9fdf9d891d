import type { Family, PartInfo } from './part.js';
import { answers } from './parts/answers.js';
import { attributes, manyAttributes } from './parts/attributes.js';
import { cluster } from './parts/cluster.js';
import { dashboard } from './parts/dashboard.js';
import { distinctFilters } from './parts/distinct-filters.js';
import { firstMatches } from './parts/first-matches.js';
import { growth } from './parts/growth.js';
import { eventFanOut } from './parts/event-fan-out.js';
import { fanOut } from './parts/fan-out.js';
import { largeLists } from './parts/large-lists.js';
import { lists } from './parts/lists.js';
import { liveUpdates } from './parts/live-updates.js';
import { posts } from './parts/posts.js';
import { sessions } from './parts/sessions.js';
import { signatures } from './parts/signatures.js';

/** Everything measured by default, in this order. */
export const FAMILIES: readonly Family[] = [
  lists,
  signatures,
  posts,
  sessions,
  fanOut,
  eventFanOut,
  liveUpdates,
  distinctFilters,
  firstMatches,
  attributes,
  largeLists,
  answers,
];

/** Derived from all others that ran. */
export const LONGEST_STOP: PartInfo = {
  name: 'longest-stop',
  work: 'the longest the event loop stood still in any of the above',
  baseline: '–',
  unit: 'ms',
  aim: { of: 'figure', sense: 'at most', value: 50 },
};

/** Measured only if requested by name. */
export const ON_REQUEST: readonly Family[] = [growth, manyAttributes, dashboard, cluster];
