import type { HTMLAttributes, JSX } from 'preact';
import { memo } from 'preact/compat';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Amounts } from '../../../src/client/index.js';
import { type Column, columnNamed } from '../../model/columns.js';
import { formats } from '../../model/formats.js';
import type { Row } from '../../model/live-rows.js';
import type { Sort } from '../../model/view.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { isNarrow } from '../../state/preferences.js';
import { linkTo } from '../../state/place.js';
import type { Shown } from './feed.js';
import { useWindow } from './use-window.js';

const ROW_HEIGHT = 38;
/** On narrow screens, a row has two lines instead of columns. */
const NARROW_ROW_HEIGHT = 64;
const HEAD_HEIGHT = 38;

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
  const rowHeight = narrow ? NARROW_ROW_HEIGHT : ROW_HEIGHT;
  const { items, height, scrollToRow } = useWindow(
    scroller,
    shown.count,
    rowHeight,
    narrow ? 0 : HEAD_HEIGHT,
  );
  const columns = useMemo(
    () => props.columns.flatMap((name) => columnNamed(name) ?? []),
    [props.columns.join()],
  );
  const template = columns
    .map(({ width }) => `minmax(${String(width.least)}px, ${String(width.share)}fr)`)
    .join(' ');
  const least = columns.reduce((sum, { width }) => sum + width.least, 0);
  const from = items[0]?.index ?? 0;
  const to = (items.at(-1)?.index ?? 0) + 1;
  useEffect(() => {
    onView(from, to);
  }, [from, to, shown.kind]);
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
      onKeyDown={(event) => moveFocus(event, shown.count, scrollToRow)}
      {...hold}
    >
      <Head {...props} columns={columns} isHidden={narrow} />
      <div class="table-body" role="rowgroup" style={{ height: `${String(height)}px` }}>
        {items.map(({ index, start }) => {
          const row = shown.at(index);
          return (
            <TableRow
              key={row?.advertisement.provider_id ?? `row-${String(index)}`}
              row={row}
              index={index}
              top={start}
              columns={columns}
              amounts={amounts}
              query={query}
              isNarrow={narrow}
            />
          );
        })}
      </div>
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

interface RowProps {
  readonly row: Row | undefined;
  readonly index: number;
  readonly top: number;
  readonly columns: readonly Column[];
  readonly amounts: Amounts;
  readonly query: string;
  readonly isNarrow: boolean;
}

/** One row; a placeholder until it has loaded. */
const TableRow = memo(function TableRow(props: RowProps): JSX.Element {
  const { row, index, top, columns, amounts, isNarrow: narrow } = props;
  const place = {
    role: 'row',
    'aria-rowindex': index + 2,
    style: { transform: `translateY(${String(top)}px)` },
  } as const;
  if (row === undefined) {
    return (
      <div {...place} class="table-row table-row-grid table-row-empty">
        {columns.map(({ name }) => (
          <div key={name} role="cell" class="cell" aria-label="Loading" />
        ))}
      </div>
    );
  }
  const { advertisement, mark } = row;
  const state = `${advertisement.status === 'suspect' ? ' is-suspect' : ''}${mark === null ? '' : ` is-${mark}`}`;
  return (
    <div
      {...place}
      class={`table-row ${narrow ? '' : 'table-row-grid'}${state}`}
      data-provider={advertisement.provider_id}
    >
      {narrow ? (
        <NarrowCells {...props} row={row} />
      ) : (
        columns.map((column) => (
          <div
            key={column.name}
            role="cell"
            class={column.isNumber ? 'cell cell-number' : 'cell'}
            dir={column.isNumber ? undefined : 'auto'}
          >
            <Cell column={column} row={row} amounts={amounts} query={props.query} />
          </div>
        ))
      )}
    </div>
  );
});

interface CellProps {
  readonly column: Column;
  readonly row: Row;
  readonly amounts: Amounts;
  readonly query: string;
}

function Cell({ column, row, amounts, query }: CellProps): JSX.Element {
  const { advertisement, mark } = row;
  if (column.name === 'provider') return <ProviderLink row={row} query={query} />;
  if (column.name === 'status')
    return <StatusBadge status={mark === 'removed' ? 'gone' : advertisement.status} />;
  const text = column.text(column.value(advertisement, amounts));
  return (
    <span class="cell-text" title={text.length > 12 ? text : undefined}>
      {text}
    </span>
  );
}

function ProviderLink({ row: { advertisement }, query }: { row: Row; query: string }): JSX.Element {
  const { name, provider_id: id } = advertisement;
  return (
    <a class="row-link" href={linkTo('provider', query, id)} title={name === null ? id : `${name} (${id})`}>
      {name ?? formats.shortId(id)}
    </a>
  );
}

/** The two-line form of a row: name, price, country and resources. */
function NarrowCells({ row, amounts, query, columns }: RowProps & { row: Row }): JSX.Element {
  const { advertisement, mark } = row;
  const price = columnNamed(columns.some(({ name }) => name === 'price_glm') ? 'price_glm' : 'price')!;
  const { resources, country } = advertisement;
  const offers = `${formats.count(resources.cpu)} cores · ${formats.gigabytes(resources.memory)} · ${formats.gigabytes(resources.storage)}`;
  return (
    <>
      <div role="cell" class="narrow-name" dir="auto">
        <ProviderLink row={row} query={query} />
      </div>
      <div role="cell" class="narrow-price">
        {price.text(price.value(advertisement, amounts))}
      </div>
      <div role="cell" class="narrow-offers">
        {offers}, {formats.country(country)}
      </div>
      <div role="cell" class="narrow-status">
        <StatusBadge status={mark === 'removed' ? 'gone' : advertisement.status} />
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
function moveFocus(event: KeyboardEvent, count: number, scrollToRow: (row: number) => void): void {
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
  scrollToRow(index - 2);
  if (!focus()) requestAnimationFrame(focus);
}
