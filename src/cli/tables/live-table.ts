import logUpdate from 'log-update';
import type { Amounts, Change, PublishedAdvertisement, Watch } from '../../client/node.js';
import { coloursFor, printable } from '../terminal.js';
import type { Column } from './columns.js';
import { providerTable } from './provider-table.js';
import type { Ranking } from './ranking.js';
import { cut } from './text.js';

/** How long a change stays marked, and a departed provider in sight, in milliseconds. */
const MARK_MS = 5000;
const REDRAW_MS = 500;
/** Lines beside the rows: a heading, the state, and a free one. */
const EXTRA_LINES = 4;
/** Columns of the screen before each row. */
const MARK_COLUMNS = 2;

interface Mark {
  sign: '+' | '~' | '-';
  /** Unix milliseconds. */
  until: number;
  advertisement: PublishedAdvertisement;
}

/** How a live table looks. */
export interface LiveTableOptions {
  /** What prices are for. */
  amounts: Amounts;
  columns: readonly Column[];
  /** How many are followed at most; null for all. */
  limit: number | null;
  /** Columns of the terminal; null where nothing is to be cut. */
  width: () => number | null;
}

/** A table of a watch's providers on a terminal that is drawn anew as they change. */
export class LiveTable {
  readonly #options: LiveTableOptions;
  readonly #matches: Watch;
  readonly #ranking: Ranking;
  readonly #marks = new Map<string, Mark>();
  readonly #timer: NodeJS.Timeout;
  #drawSoon: NodeJS.Immediate | null = null;

  /** @param ranking Is told of every change that is noted here. */
  constructor(matches: Watch, ranking: Ranking, options: LiveTableOptions) {
    this.#options = options;
    this.#matches = matches;
    this.#ranking = ranking;
    this.#timer = setInterval(() => {
      this.#draw();
    }, REDRAW_MS);
    matches.on('state', () => {
      this.#redraw();
    });
    process.stdout.on('resize', this.#redraw);
  }

  /** Takes up and marks what changed. */
  note(change: Change): void {
    this.#ranking.apply(change);
    const { advertisement } = change;
    const sign = change.type === 'added' ? '+' : change.type === 'updated' ? '~' : '-';
    this.#marks.set(advertisement.provider_id, { sign, until: Date.now() + MARK_MS, advertisement });
    this.#redraw();
  }

  /** Leaves the last table on the screen, and the cursor below it. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#drawSoon !== null) clearImmediate(this.#drawSoon);
    process.stdout.off('resize', this.#redraw);
    this.#draw();
    logUpdate.done();
  }

  readonly #redraw = (): void => {
    this.#drawSoon ??= setImmediate(() => {
      this.#drawSoon = null;
      this.#draw();
    });
  };

  #draw(): void {
    const room = Math.max(1, (process.stdout.rows || 24) - EXTRA_LINES);
    const shown = this.#rows(room);
    const hidden = this.#ranking.size - shown.length;
    const colours = coloursFor(process.stdout);
    const width = this.#options.width();
    const summary = [
      this.#count(),
      ...(hidden > 0 ? [`${String(hidden)} more below`] : []),
      this.#state(),
      this.#matches.hub,
      'Ctrl-C to stop',
    ].join(' · ');
    logUpdate(
      [
        ...(shown.length === 0 ? [] : this.#table(shown, width)),
        '',
        colours.dim(cut(summary, width ?? Infinity)),
      ].join('\n'),
    );
  }

  /** The first ones with those that went just now between them, which take half of the room at most. */
  #rows(count: number): PublishedAdvertisement[] {
    const now = Date.now();
    for (const [id, { until }] of this.#marks) if (until <= now) this.#marks.delete(id);
    const gone = [...this.#marks.values()].filter(({ sign }) => sign === '-').slice(0, Math.ceil(count / 2));
    const present = this.#ranking.first(count - gone.length);
    return [...present, ...gone.map(({ advertisement }) => advertisement)].sort(this.#ranking.compare);
  }

  #table(shown: readonly PublishedAdvertisement[], width: number | null): string[] {
    const colours = coloursFor(process.stdout);
    const colourOf = { '+': colours.green, '~': colours.cyan, '-': colours.red };
    const { columns, amounts } = this.#options;
    const table = providerTable(shown, {
      columns,
      amounts,
      width: width === null ? null : width - MARK_COLUMNS,
      now: Date.now() + (this.#matches.clockOffsetMs ?? 0),
    });
    const [head = '', ...lines] = table.split('\n');
    const marked = lines.map((line, at) => {
      const mark = this.#marks.get(shown[at]!.provider_id);
      if (mark !== undefined) return colourOf[mark.sign](`${mark.sign} ${line}`);
      return shown[at]!.status === 'suspect' ? colours.yellow(`  ${line}`) : `  ${line}`;
    });
    return [colours.bold(`  ${head}`), ...marked];
  }

  #count(): string {
    const { size } = this.#ranking;
    const providers = size === 1 ? '1 provider' : `${String(size)} providers`;
    return size === this.#options.limit ? `the first ${providers}` : providers;
  }

  #state(): string {
    const { state, error } = this.#matches;
    return state === 'waiting' ? `reconnecting: ${printable(error?.message ?? 'connection lost')}` : state;
  }
}
