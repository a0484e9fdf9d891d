import type { JSX } from 'preact';
import type { AdvertisementStatus } from '../../src/client/index.js';

/** Live or suspect: by word and shape, not by colour alone. */
export function StatusBadge({ status }: { status: AdvertisementStatus | 'gone' }): JSX.Element {
  return <span class={`badge badge-${status}`}>{status}</span>;
}
