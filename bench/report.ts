import { availableParallelism, cpus, totalmem } from 'node:os';
import Table from 'cli-table3';
import { coloursFor } from '../src/cli/terminal.js';
import { FAMILIES, LONGEST_STOP, ON_REQUEST } from './families.js';
import { hasWrk } from './http-load.js';
import { type Aim, type Family, meets, type Outcome, type PartInfo, ratioOf, type Unit } from './part.js';
import type { Run } from './run.js';

/** The environment that figures depend on. */
export function machineFacts(diskSyncMs: number): Record<string, string | number> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    disk_sync_ms: Number(diskSyncMs.toFixed(2)),
    http_load: hasWrk() ? 'wrk' : 'own generator',
  };
}

type PartOf = (outcome: Outcome) => PartInfo;

function finder(families: readonly Family[]): PartOf {
  const parts = new Map(families.flatMap((family) => family.parts).map((part) => [part.name, part]));
  return ({ name }) => parts.get(name) ?? LONGEST_STOP;
}

function figure(value: number | null, unit: Unit): string {
  if (value === null) return '–';
  if (unit === 'per second') return `${Math.round(value).toLocaleString('en')}/s`;
  if (unit === 'bytes') return `${Math.round(value).toLocaleString('en')} B`;
  if (unit === '% of a core') return `${value.toFixed(1)} %`;
  return `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`;
}

function aimText(aim: Aim | null, unit: Unit): string {
  if (aim === null) return '–';
  const { of, sense, value } = aim;
  const sign = sense === 'at least' ? '≥' : '≤';
  return `${sign} ${of === 'ratio' ? `${String(value)} ×` : figure(value, unit)}`;
}

/** The load generator's share of a core against the hub, and against the baseline. */
function shares(hub: number | null, baseline: number | null): string {
  if (hub === null) return '–';
  const percent = (share: number): string => (share * 100).toFixed(0);
  return baseline === null ? `${percent(hub)} %` : `${percent(hub)} / ${percent(baseline)} %`;
}

/** The whole result, for programs. */
export function toJson(
  families: readonly Family[],
  { outcomes, failures, seconds, diskSyncMs }: Run,
): string {
  const partOf = finder(families);
  const parts = outcomes.map((outcome) => {
    const part = partOf(outcome);
    const { hub, baseline, loadShare, baselineLoadShare, longestStopMs, note } = outcome;
    return {
      part: part.name,
      work: part.work,
      baseline_work: part.baseline,
      unit: part.unit,
      hub,
      baseline,
      ratio: ratioOf(outcome),
      aim: part.aim,
      met: meets(part, outcome),
      load_cpu_share: loadShare,
      baseline_load_cpu_share: baselineLoadShare,
      longest_stop_ms: longestStopMs,
      note,
    };
  });
  return JSON.stringify({ machine: machineFacts(diskSyncMs), seconds, failures, parts }, null, 2);
}

/** The whole result, for people. */
export function toText(
  families: readonly Family[],
  { outcomes, failures, seconds, diskSyncMs }: Run,
): string {
  const partOf = finder(families);
  const colours = coloursFor(process.stdout);
  const table = new Table({
    head: ['part', 'hub', 'baseline', 'ratio', 'target', 'met', 'load CPU', 'longest stop'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const outcome of outcomes) {
    const part = partOf(outcome);
    const ratio = ratioOf(outcome);
    const isMet = meets(part, outcome);
    const { hub, baseline, loadShare, baselineLoadShare, longestStopMs } = outcome;
    table.push([
      part.name,
      figure(hub, part.unit),
      figure(baseline, part.unit),
      ratio === null ? '–' : `${ratio.toFixed(2)} ×`,
      aimText(part.aim, part.unit),
      isMet === null ? '–' : isMet ? 'yes' : colours.bold(colours.red('NO')),
      shares(loadShare, baselineLoadShare),
      longestStopMs === null ? '–' : `${longestStopMs.toFixed(0)} ms`,
    ]);
  }
  const facts = Object.entries(machineFacts(diskSyncMs)).map(([name, value]) => `${name}: ${String(value)}`);
  const legend = outcomes.map((outcome) => {
    const { name, work, baseline } = partOf(outcome);
    const note = outcome.note === '' ? '' : ` (${outcome.note})`;
    return `  ${name}: ${work}${baseline === '–' ? '' : ` | ${baseline}`}${note}`;
  });
  return [
    facts.join(', '),
    table.toString(),
    ...legend,
    ...failures.map((failure) => colours.red(`FAILED ${failure}`)),
    `${seconds.toFixed(0)} s`,
  ].join('\n');
}

/** Every part with its description, for `--list`. */
export function listText(): string {
  const parts = [...FAMILIES, ...ON_REQUEST].flatMap((family) => family.parts);
  return [...parts, LONGEST_STOP]
    .map(({ name, work, baseline, aim, unit }) => {
      const against = baseline === '–' ? '' : ` | ${baseline}`;
      return `${name.padEnd(22)} ${work}${against} | ${aimText(aim, unit)}`;
    })
    .join('\n');
}
