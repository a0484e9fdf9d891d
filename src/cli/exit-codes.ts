import { DiscoveryError } from '../client/node.js';

/** The exit statuses. */
export const EXIT = {
  ok: 0,
  /** The hub refused, or the command failed for a reason that it printed. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The requested item does not exist. */
  notFound: 3,
  /** The hub could not be reached, or did not answer in time. */
  unreachable: 4,
  /** Another session of the same provider has taken over. */
  replaced: 5,
  /** A setting of the hub is invalid. */
  config: 78,
} as const;

const UNREACHABLE: ReadonlySet<string> = new Set(['NETWORK', 'TIMEOUT', 'UNEXPECTED']);

/** The exit status for an error. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof DiscoveryError)) return EXIT.failed;
  if (error.code === 'USAGE') return EXIT.usage;
  if (error.code === 'ADV_004') return EXIT.notFound;
  if (error.code === 'REPLACED') return EXIT.replaced;
  return UNREACHABLE.has(error.code) ? EXIT.unreachable : EXIT.failed;
}
