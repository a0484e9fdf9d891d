/** What the figures of a part are counted in. */
export type Unit = 'per second' | 'ms' | 's' | 'µs' | 'bytes' | '% of a core';

/** A target: a bound on the ratio of hub to baseline, or on the hub's own figure. */
export interface Aim {
  of: 'ratio' | 'figure';
  sense: 'at least' | 'at most';
  value: number;
}

/** One line of the table: what is measured, against what, and the target. */
export interface PartInfo {
  name: string;
  work: string;
  baseline: string;
  unit: Unit;
  /** Null if there is no target. */
  aim: Aim | null;
}

/** What was measured. */
export interface Outcome {
  name: string;
  hub: number;
  /** Null where there is none. */
  baseline: number | null;
  /** CPU seconds a second that making the load took, while the hub was measured; null where it is not known. */
  loadShare: number | null;
  /** The same while the baseline was measured: near 1, the load may have been what was too slow. */
  baselineLoadShare: number | null;
  /** The longest that the hub's event loop stood still meanwhile; null where no hub ran. */
  longestStopMs: number | null;
  /** What a reader of the figure has to know about this run; may be empty. */
  note: string;
}

/** Parts that share their preparation. */
export interface Family {
  title: string;
  parts: readonly PartInfo[];
  /** Measures those that are wanted, and perhaps others on the way. Throws when an answer was wrong or missing. */
  run(bench: Bench, wanted: ReadonlySet<string>): Promise<Outcome[]>;
}

/** Something that has to end with the run. */
export interface Owned {
  kill(): void;
}

/** What all parts share in one run. */
export interface Bench {
  /** A scratch folder, removed at the end. */
  readonly folder: string;
  /** Whether all sizes and times are cut, only to see that everything works. */
  readonly quick: boolean;
  /** A number of things or seconds; a tenth of it in a quick run. */
  size(full: number): number;
  /** The same for connections of one process, which the system may limit further. */
  connections(full: number): number;
  /** Tells whoever waits what is being done. */
  say(text: string): void;
  /** Has something end with the run, however it ends. */
  own(thing: Owned): void;
}

/** An answer was wrong or missing, so that figures mean nothing. */
export class WrongAnswerError extends Error {
  override readonly name = 'WrongAnswerError';
}

/** The ratio of hub to baseline; null without a baseline. */
export function ratioOf({ hub, baseline }: Outcome): number | null {
  return baseline === null || baseline === 0 ? null : hub / baseline;
}

/** Whether an outcome is what was aimed at; null where nothing is. */
export function meets({ aim }: PartInfo, outcome: Outcome): boolean | null {
  if (aim === null) return null;
  const value = aim.of === 'ratio' ? (ratioOf(outcome) ?? Number.NaN) : outcome.hub;
  return aim.sense === 'at least' ? value >= aim.value : value <= aim.value;
}
