import logUpdate from 'log-update';
import type { Change, PublishedAdvertisement, Watch } from '../client/node.js';
import { providerTable } from './provider-table.js';
import { coloursFor, printable, widthOf } from './terminal.js';

/** How long a change stays marked, and a departed provider in sight, in milliseconds. */
const MARK_MS = 5000;
const REDRAW_MS = 500;
/** Lines beside the rows: a heading, the state, and a free one. */
const EXTRA_LINES = 4;

interface Mark {
  sign: '+' | '~' | '-';
  /** Unix milliseconds. */
  until: number;
  advertisement: PublishedAdvertisement;
}

/** A table of a watch's providers on a terminal that is drawn anew as they change. */
export class LiveTable {
  readonly #url: string;
  readonly #matches: Watch;
  readonly #amounts: { cpu: number; memory: number; storage: number } | null;
  readonly #marks = new Map<string, Mark>();
  readonly #timer: NodeJS.Timeout;
  #drawSoon: NodeJS.Immediate | null = null;

  constructor(url: string, matches: Watch, amounts: { cpu: number; memory: number; storage: number } | null) {
    this.#url = url;
    this.#matches = matches;
    this.#amounts = amounts;
    this.#timer = setInterval(() => {
      this.#draw();
    }, REDRAW_MS);
    matches.on('state', () => {
      this.#redraw();
    });
    process.stdout.on('resize', this.#redraw);
  }

  /** Marks what changed. */
  note(change: Change): void {
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
    const now = Date.now();
    for (const [id, { until }] of this.#marks) if (until <= now) this.#marks.delete(id);
    const gone = [...this.#marks.values()]
      .filter(({ sign }) => sign === '-')
      .map(({ advertisement }) => advertisement);
    const rows = [...this.#matches.providers.values(), ...gone].sort((a, b) =>
      a.provider_id < b.provider_id ? -1 : 1,
    );
    const room = Math.max(1, (process.stdout.rows || 24) - EXTRA_LINES);
    const shown = rows.slice(0, room);
    const colours = coloursFor(process.stdout);
    const colourOf = { '+': colours.green, '~': colours.cyan, '-': colours.red };
    const width = widthOf(process.stdout) ?? 80;
    const table = providerTable(shown, { width: width - 2, amounts: this.#amounts, now });
    const [head = '', ...lines] = table.split('\n');
    const marked = lines.map((line, at) => {
      const mark = this.#marks.get(shown[at]!.provider_id);
      if (mark !== undefined) return colourOf[mark.sign](`${mark.sign} ${line}`);
      return shown[at]!.status === 'suspect' ? colours.yellow(`  ${line}`) : `  ${line}`;
    });
    const hidden = rows.length > shown.length ? `, ${String(rows.length - shown.length)} more below` : '';
    const count = this.#matches.providers.size;
    const summary = `${count === 1 ? '1 provider' : `${String(count)} providers`}${hidden} · ${this.#state()} · ${this.#url} · Ctrl-C to stop`;
    logUpdate(
      [
        ...(shown.length === 0 ? [] : [colours.bold(`  ${head}`), ...marked]),
        '',
        colours.dim(summary.slice(0, width)),
      ].join('\n'),
    );
  }

  #state(): string {
    const { state, error } = this.#matches;
    return state === 'waiting' ? `reconnecting: ${printable(error?.message ?? 'connection lost')}` : state;
  }
}
