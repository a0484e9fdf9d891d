import { Component, type HTMLAttributes, type JSX, type RefObject } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Amounts, PublishedAdvertisement } from '../../../src/client/index.js';
import { type Column, columnNamed } from '../../model/columns.js';
import { formats } from '../../model/formats.js';
import { nameOf } from '../../model/name.js';
import type { Mark } from '../../model/live-rows.js';
import type { Sort } from '../../model/view.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { isNarrow } from '../../state/preferences.js';
import { linkTo } from '../../state/place.js';
import type { Shown } from './feed.js';
import { type Heights, scrollToRow, useWindow } from './use-window.js';

const WIDE: Heights = { row: 38, head: 38 };
/** On narrow screens, a row has two lines instead of columns, and there is no head. */
const NARROW: Heights = { row: 64, head: 0 };

export interface ProviderTableProps {
  readonly shown: Shown;
  readonly columns: readonly string[];
  readonly sort: Sort;
  readonly amounts: Amounts;
  /** The query string for links to a provider's page: the requested amounts. */
  readonly query: string;
  readonly canSort: (name: string) => boolean;
  readonly onSort: (name: string) => void;
  readonly onView: (from: number, to: number) => void;
  readonly onHold: (isHeld: boolean) => void;
}

/** The table of providers, with virtualized rows. */
export function ProviderTable(props: ProviderTableProps): JSX.Element {
  const { shown, amounts, query, onView, onHold } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = isNarrow.value;
  const heights = narrow ? NARROW : WIDE;
  const columns = useMemo(
    () => props.columns.flatMap((name) => columnNamed(name) ?? []),
    [props.columns.join()],
  );
  const template = columns
    .map(({ width }) => `minmax(${String(width.least)}px, ${String(width.share)}fr)`)
    .join(' ');
  const least = columns.reduce((sum, { width }) => sum + width.least, 0);
  const hold = useHold(onHold);
  return (
    <div
      class={narrow ? 'table table-narrow' : 'table'}
      role="table"
      aria-label="Providers"
      aria-rowcount={shown.count + 1}
      aria-colcount={columns.length}
      aria-busy={shown.kind === 'loading'}
      tabIndex={0}
      ref={scroller}
      style={{ '--columns': template, '--least': `${String(least)}px` }}
      onKeyDown={(event) => moveFocus(event, shown.count, heights)}
      {...hold}
    >
      <Head {...props} columns={columns} isHidden={narrow} />
      <Rows {...{ scroller, shown, columns, amounts, query, heights, onView }} isNarrow={narrow} />
    </div>
  );
}

interface RowsProps extends Pick<ProviderTableProps, 'shown' | 'amounts' | 'query' | 'onView'> {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly columns: readonly Column[];
  readonly heights: Heights;
  readonly isNarrow: boolean;
}

/** The rows in the viewport; scrolling renders only these. */
function Rows(props: RowsProps): JSX.Element {
  const { scroller, shown, columns, amounts, query, heights, onView, isNarrow: narrow } = props;
  const { from, to } = useWindow(scroller, shown.count, heights);
  useEffect(() => {
    onView(from, to);
  }, [from, to, shown.kind]);
  const rows: JSX.Element[] = [];
  for (let index = from; index < to; index += 1) {
    const row = shown.at(index);
    rows.push(
      <TableRow
        key={row?.advertisement.provider_id ?? `row-${String(index)}`}
        advertisement={row?.advertisement}
        mark={row?.mark ?? null}
        index={index}
        top={index * heights.row}
        columns={columns}
        amounts={amounts}
        query={query}
        isNarrow={narrow}
      />,
    );
  }
  return (
    <div class="table-body" role="rowgroup" style={{ height: `${String(shown.count * heights.row)}px` }}>
      {rows}
    </div>
  );
}

interface HeadProps extends Omit<ProviderTableProps, 'columns'> {
  readonly columns: readonly Column[];
  readonly isHidden: boolean;
}

function Head({ columns, sort, canSort, onSort, isHidden }: HeadProps): JSX.Element {
  return (
    <div class={isHidden ? 'off-screen' : 'table-head'} role="rowgroup">
      <div class="table-row-grid" role="row" aria-rowindex={1}>
        {columns.map(({ name, title, isNumber }) => {
          const isSorted = sort.column === name;
          const order = isSorted ? (sort.descending ? 'descending' : 'ascending') : undefined;
          return (
            <div
              key={name}
              role="columnheader"
              class={isNumber ? 'cell cell-number' : 'cell'}
              aria-sort={order}
            >
              {canSort(name) ? (
                <button type="button" class="sort" onClick={() => onSort(name)}>
                  {title}
                  <span class="sort-sign" aria-hidden="true">
                    {isSorted ? (sort.descending ? '▼' : '▲') : ''}
                  </span>
                </button>
              ) : (
                <span title="Narrow the search down to sort by this">{title}</span>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface CellsProps {
  readonly advertisement: PublishedAdvertisement;
  readonly mark: Mark | null;
  readonly columns: readonly Column[];
  readonly amounts: Amounts;
  readonly query: string;
}

interface RowProps extends Omit<CellsProps, 'advertisement'> {
  readonly advertisement: PublishedAdvertisement | undefined;
  readonly index: number;
  readonly top: number;
  readonly isNarrow: boolean;
}

/** One row; a placeholder until it has loaded. Most rows stay as they are when others scroll into view. */
class TableRow extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    return (Object.keys(next) as (keyof RowProps)[]).some((name) => next[name] !== this.props[name]);
  }

  override render({ advertisement, index, top, isNarrow: narrow, ...rest }: RowProps): JSX.Element {
    const place = {
      role: 'row',
      'aria-rowindex': index + 2,
      style: { top: `${String(top)}px` },
    } as const;
    if (advertisement === undefined) {
      return (
        <div {...place} class="table-row table-row-grid table-row-empty">
          {rest.columns.map(({ name }) => (
            <div key={name} role="cell" class="cell" aria-label="Loading" />
          ))}
        </div>
      );
    }
    const cells = { ...rest, advertisement };
    const state = `${advertisement.status === 'suspect' ? ' is-suspect' : ''}${rest.mark === null ? '' : ` is-${rest.mark}`}`;
    return (
      <div
        {...place}
        class={`table-row ${narrow ? '' : 'table-row-grid'}${state}`}
        data-provider={advertisement.provider_id}
      >
        {narrow ? narrowCells(cells) : cells.columns.map((column) => cellOf(column, cells))}
      </div>
    );
  }
}

// Functions instead of components, and one element a cell: a screen of rows has hundreds of them.

// Pixels at most. Cutting off what is too long makes a cell slower to paint, so most are left as they are.
const LETTER = 16;
const DIGIT = 10;
const PADDING = 20;

function cellOf(column: Column, cells: CellsProps): JSX.Element {
  const { name, isNumber, width } = column;
  if (name === 'provider' || name === 'status') {
    return (
      <div key={name} role="cell" class={name === 'provider' ? 'cell cell-cut' : 'cell'} dir="auto">
        {name === 'provider' ? providerLink(cells) : statusOf(cells)}
      </div>
    );
  }
  const text = column.text(column.value(cells.advertisement, cells.amounts));
  const isLong = text.length * (isNumber ? DIGIT : LETTER) > width.least - PADDING;
  return (
    <div
      key={name}
      role="cell"
      class={`cell${isNumber ? ' cell-number' : ''}${isLong ? ' cell-cut' : ''}`}
      dir={isNumber ? undefined : 'auto'}
      title={isLong ? text : undefined}
    >
      {text}
    </div>
  );
}

function statusOf({ advertisement, mark }: CellsProps): JSX.Element {
  return <StatusBadge status={mark === 'removed' ? 'gone' : advertisement.status} />;
}

function providerLink({ advertisement, query }: CellsProps): JSX.Element {
  const { provider_id: id } = advertisement;
  const name = nameOf(advertisement);
  return (
    <a class="row-link" href={linkTo('provider', query, id)} title={name === null ? id : `${name} (${id})`}>
      {name ?? formats.shortId(id)}
    </a>
  );
}

/** The two-line form of a row: name, price, country and resources. */
function narrowCells(cells: CellsProps): JSX.Element {
  const { advertisement, amounts, columns } = cells;
  const price = columnNamed(columns.some(({ name }) => name === 'price_glm') ? 'price_glm' : 'price')!;
  const { resources, country } = advertisement;
  const offers = `${formats.cores(resources.cpu)} · ${formats.gigabytes(resources.memory)} · ${formats.gigabytes(resources.storage)}`;
  return (
    <>
      <div role="cell" class="narrow-name" dir="auto">
        {providerLink(cells)}
      </div>
      <div role="cell" class="narrow-price">
        {price.text(price.value(advertisement, amounts))}
      </div>
      <div role="cell" class="narrow-offers">
        {offers}, {formats.country(country)}
      </div>
      <div role="cell" class="narrow-status">
        {statusOf(cells)}
      </div>
    </>
  );
}

/** Holds the order while the pointer is over the table or one of its rows has focus. */
function useHold(onHold: (isHeld: boolean) => void): HTMLAttributes<HTMLDivElement> {
  const reasons = useRef(new Set<'pointer' | 'focus'>());
  const set = (reason: 'pointer' | 'focus', holds: boolean): void => {
    if (holds) reasons.current.add(reason);
    else reasons.current.delete(reason);
    onHold(reasons.current.size > 0);
  };
  return {
    onPointerEnter: ({ pointerType }) => {
      // Touch has no hover.
      if (pointerType !== 'touch') set('pointer', true);
    },
    onPointerLeave: () => set('pointer', false),
    onFocusIn: ({ target }) =>
      set('focus', target instanceof HTMLElement && target.matches('.row-link:focus-visible')),
    onFocusOut: () => set('focus', false),
  };
}

/** Arrow keys move from row to row. The scroller handles Page Up, Page Down, Home and End itself. */
function moveFocus(event: KeyboardEvent, count: number, heights: Heights): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  const { currentTarget, target } = event;
  if (step === 0 || !(currentTarget instanceof HTMLElement) || !(target instanceof HTMLElement)) return;
  const row = target.closest('[role=row][aria-rowindex]');
  const index = Number(row?.getAttribute('aria-rowindex') ?? 1) + step;
  if (index < 2 || index > count + 1) return;
  event.preventDefault();
  const focus = (): boolean => {
    const link = currentTarget.querySelector<HTMLElement>(`[aria-rowindex="${String(index)}"] .row-link`);
    link?.focus({ preventScroll: true });
    return link !== null;
  };
  scrollToRow(currentTarget, index - 2, heights);
  if (!focus()) requestAnimationFrame(focus);
}
