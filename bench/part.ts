/** The unit of a part's figures. */
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
  /** Null if there is none. */
  baseline: number | null;
  /** The load generator's share of a core while the hub was measured; null if unknown. */
  loadShare: number | null;
  /** The same while the baseline was measured: near 1, the load generator may have been the bottleneck. */
  baselineLoadShare: number | null;
  /** The longest stall of the hub's event loop meanwhile; null if no hub ran. */
  longestStopMs: number | null;
  /** What a reader has to know about this run; may be empty. */
  note: string;
}

/** Parts that share their preparation. */
export interface Family {
  title: string;
  parts: readonly PartInfo[];
  /** Measures the wanted parts, and perhaps others on the way. Throws if an answer was wrong or missing. */
  run(bench: Bench, wanted: ReadonlySet<string>): Promise<Outcome[]>;
}

/** Something that has to be stopped at the end of the run. */
export interface Owned {
  kill(): void;
}

/** Shared by all parts of a run. */
export interface Bench {
  /** A scratch folder, removed at the end. */
  readonly folder: string;
  /** Whether sizes and times are reduced, only to check that everything works. */
  readonly quick: boolean;
  /** Scales a number of things or seconds: to a tenth in a quick run. */
  size(full: number): number;
  /** The same for the connections of one process, which the system may limit further. */
  connections(full: number): number;
  /** Reports progress. */
  say(text: string): void;
  /** Registers something to stop when the run ends, however it ends. */
  own(thing: Owned): void;
}

/** An answer was wrong or missing, so figures mean nothing. */
export class WrongAnswerError extends Error {
  override readonly name = 'WrongAnswerError';
}

/** The ratio of hub to baseline; null without a baseline. */
export function ratioOf({ hub, baseline }: Outcome): number | null {
  return baseline === null || baseline === 0 ? null : hub / baseline;
}

/** Whether an outcome meets its target; null if there is none. */
export function meets({ aim }: PartInfo, outcome: Outcome): boolean | null {
  if (aim === null) return null;
  const value = aim.of === 'ratio' ? (ratioOf(outcome) ?? Number.NaN) : outcome.hub;
  return aim.sense === 'at least' ? value >= aim.value : value <= aim.value;
}
