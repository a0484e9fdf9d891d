import logUpdate from 'log-update';
import type { Amounts, Change, PublishedAdvertisement, Watch } from '../../client/node.js';
import { coloursFor, printable } from '../terminal.js';
import type { Column } from './columns.js';
import { providerTable } from './provider-table.js';
import type { Ranking } from './ranking.js';
import { cut } from './text.js';

/** How long changes stay marked and departed providers visible, in milliseconds. */
const MARK_MS = 5000;
const REDRAW_MS = 500;
/** Lines other than rows: a heading, the state, and a blank one. */
const EXTRA_LINES = 4;
/** Screen columns before each row. */
const MARK_COLUMNS = 2;

interface Mark {
  sign: '+' | '~' | '-';
  /** Unix milliseconds. */
  until: number;
  advertisement: PublishedAdvertisement;
}

/** The layout of a live table. */
export interface LiveTableOptions {
  /** The amounts that prices are for. */
  amounts: Amounts;
  columns: readonly Column[];
  /** The most providers to follow; null for all. */
  limit: number | null;
  /** Screen columns; null for no limit. */
  width: () => number | null;
}

/** A table of watched providers on a terminal, redrawn as they change. */
export class LiveTable {
  readonly #options: LiveTableOptions;
  readonly #matches: Watch;
  readonly #ranking: Ranking;
  readonly #marks = new Map<string, Mark>();
  readonly #timer: NodeJS.Timeout;
  #drawSoon: NodeJS.Immediate | null = null;
  #isOver = false;

  /** @param ranking Receives every change noted here. */
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

  /** Applies and marks a change. */
  note(change: Change): void {
    this.#ranking.apply(change);
    const { advertisement } = change;
    const sign = change.type === 'added' ? '+' : change.type === 'updated' ? '~' : '-';
    this.#marks.set(advertisement.provider_id, { sign, until: Date.now() + MARK_MS, advertisement });
    this.#redraw();
  }

  /** Leaves the final table on the screen, with the cursor below it. */
  end(): void {
    this.#isOver = true;
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
      ...(this.#isOver ? [] : ['Ctrl-C to stop']),
    ].join(' · ');
    logUpdate(
      [
        ...(shown.length === 0 ? [] : this.#table(shown, width)),
        '',
        colours.dim(cut(summary, width ?? Infinity)),
      ].join('\n'),
    );
  }

  /** The first providers, with recently departed ones in between, which take half of the lines at most. */
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
